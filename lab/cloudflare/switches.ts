/** Faults and hooks that a test has switched on, and which of them a request meets. */
import { randomUUID } from "node:crypto";
import type {
  Fault,
  FaultEffect,
  LoggedRequest,
  Moment,
  Occasion,
  RequestMatch,
  Switch,
} from "./types.ts";

type Callback = (request: LoggedRequest) => void | Promise<void>;

/** What a switch does to the requests that it applies to. */
export type Effect = FaultEffect | { readonly moment: Moment; readonly callback: Callback };

interface Entry extends Switch {
  readonly occasion: Occasion;
  readonly effect: Effect;
  seen: number;
  count: number;
}

export class Switches {
  readonly #entries = new Map<string, Entry>();

  addFault(fault: Fault): Switch {
    const writesOnly = fault.fault === "piecemeal" || fault.fault === "lagging-server";
    const match = writesOnly ? { ...fault.match, kind: "write" as const } : fault.match;
    return this.#add({ ...fault, ...(match ? { match } : {}) }, fault);
  }

  addHook(moment: Moment, occasion: Occasion, callback: Callback): Switch {
    return this.#add(occasion, { moment, callback });
  }

  /** Faults that are switched on, with how often they have struck. */
  faults(): { readonly id: string; readonly count: number; readonly fault: FaultEffect }[] {
    return [...this.#entries.values()].flatMap(({ id, count, effect }) =>
      "fault" in effect ? [{ id, count, fault: effect }] : [],
    );
  }

  /** Counts the request, and returns what applies to it. */
  take(request: LoggedRequest): Effect[] {
    return [...this.#entries.values()].flatMap((entry) => {
      const { match = {}, skip = 0, times = 1 } = entry.occasion;
      if (!matches(request, match)) return [];
      entry.seen += 1;
      const applies = entry.seen > skip && (times === "always" || entry.seen <= skip + times);
      if (applies) entry.count += 1;
      return applies ? [entry.effect] : [];
    });
  }

  remove(id: string): boolean {
    return this.#entries.delete(id);
  }

  clear(): void {
    this.#entries.clear();
  }

  #add(occasion: Occasion, effect: Effect): Switch {
    const id = randomUUID();
    const entry: Entry = {
      id,
      occasion,
      effect,
      seen: 0,
      count: 0,
      [Symbol.dispose]: () => {
        this.#entries.delete(id);
      },
    };
    this.#entries.set(id, entry);
    return entry;
  }
}

function matches(request: LoggedRequest, { kind, method, path, token }: RequestMatch): boolean {
  return (
    (kind === undefined || request.kind === kind) &&
    (method === undefined || request.method === method) &&
    (path === undefined || new RegExp(path).test(request.path)) &&
    (token === undefined || request.token === token)
  );
}
