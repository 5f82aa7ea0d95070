/** What a refresh finds, told apart by where it was changed. Reads the engine's events; pure. */
import { z } from "zod";
import { BRING_BACK } from "../mail/verify/change-checks.ts";
import { type Check, type CheckId, unread, well, wrong } from "../mail/verify/check.ts";
import type { StoredResource } from "./stored-resources.ts";

export interface Found {
  /** Of the stack and its gateway. */
  readonly checks: readonly Check[];
  readonly domains: ReadonlyMap<string, readonly Check[]>;
}

/** Where the resource's other half lies. What is none of these is a part of a gateway. */
const PLACES: Readonly<Record<string, CheckId>> = {
  "mxhero:index:MxTakeover": "dns-changed",
  "mxhero:index:SpfInclude": "dns-changed",
  "mxhero:index:Route": "route-changed",
  "mxhero:index:Drain": "route-changed",
};

const WELL: Readonly<Partial<Record<CheckId, string>>> = {
  "dns-changed": "The records are as the last run left them.",
  "route-changed": "The route store has what the last run told it.",
  "gateway-changed": "The gateway is as the last run left it.",
};

const outputsEvent = z.object({
  resOutputsEvent: z.object({
    metadata: z.object({
      op: z.string(),
      urn: z.string(),
      type: z.string(),
      diffs: z.array(z.string()).nullish(),
      detailedDiff: z.record(z.string(), z.unknown()).nullish(),
    }),
  }),
});

const saidEvent = z.object({
  diagnosticEvent: z.object({
    severity: z.enum(["warning", "error"]),
    message: z.string(),
    urn: z.string().default(""),
  }),
});

type Metadata = z.output<typeof outputsEvent>["resOutputsEvent"]["metadata"];

interface Judged {
  readonly domain: string | undefined;
  readonly check: Check;
}

export class DriftReader {
  readonly #stored: ReadonlyMap<string, StoredResource>;
  readonly #looked: Metadata[] = [];
  readonly #warnings = new Map<string, Set<string>>();
  readonly #errors: { readonly urn: string; readonly text: string }[] = [];

  /** @param stored what the state has before the run */
  constructor(stored: readonly StoredResource[]) {
    this.#stored = new Map(stored.map((resource) => [resource.urn, resource]));
  }

  see(event: unknown): void {
    const looked = outputsEvent.safeParse(event);
    if (looked.success) this.#looked.push(looked.data.resOutputsEvent.metadata);
    const said = saidEvent.safeParse(event);
    if (said.success) this.#note(said.data.diagnosticEvent);
  }

  /** @param failure why the engine ended otherwise than well, where no event tells it */
  end(failure: string | undefined): Found {
    const found = [
      ...this.#looked.filter(isOfWorld).map((metadata) => this.#judge(metadata)),
      ...this.#errors.map(({ urn, text }) => this.#notRead(urn, text)),
      ...this.#passedOver(),
    ];
    if (failure !== undefined && this.#errors.length === 0) {
      found.push({ domain: undefined, check: unread("state", failure) });
    }
    const byDomain = Map.groupBy(found, ({ domain }) => domain);
    const domains = new Map<string, readonly Check[]>();
    for (const [domain, checks] of byDomain) {
      if (domain !== undefined) domains.set(domain, unique(checks.map(({ check }) => check)));
    }
    return { checks: unique((byDomain.get(undefined) ?? []).map(({ check }) => check)), domains };
  }

  #note({ severity, message, urn }: z.output<typeof saidEvent>["diagnosticEvent"]): void {
    const text = message.trim();
    if (severity === "error") {
      if (!/^refresh (?:failed|canceled)$/.test(text)) this.#errors.push({ urn, text });
      return;
    }
    const texts = this.#warnings.get(urn) ?? new Set();
    this.#warnings.set(urn, texts.add(text));
  }

  /** Of what neither an event nor an error speaks, as where the run ended before its turn. */
  #passedOver(): Judged[] {
    const seen = new Set([...this.#looked, ...this.#errors].map(({ urn }) => urn));
    return [...this.#stored.values()]
      .filter(({ urn }) => !seen.has(urn))
      .map(({ type, domain }) => ({ domain, check: unread(placeOf(type), PASSED_OVER) }));
  }

  #judge(metadata: Metadata): Judged {
    const { op, urn, type } = metadata;
    const id = placeOf(type);
    const { domain, isPending = false } = this.#stored.get(urn) ?? {};
    // A preview reads the state of a stack that somebody else may be changing just now.
    if (isPending) return { domain, check: unread(id, PENDING) };
    if (op === "same" || op === "refresh") return { domain, check: well(id, WELL[id] ?? "") };
    const said = [...(this.#warnings.get(urn) ?? [])];
    const text = said.length > 0 ? said.join(" ") : differs(metadata);
    return { domain, check: wrong(id, text, BRING_BACK) };
  }

  #notRead(urn: string, text: string): Judged {
    const type = urn.split("::")[2]?.split("$").at(-1);
    const id = type === undefined || isStack(type) ? "state" : placeOf(type);
    return { domain: this.#stored.get(urn)?.domain, check: unread(id, text) };
  }
}

const PENDING =
  "A run is changing it, or was cut off while it did: the state does not say how it is now.";

const PASSED_OVER = "It was not looked at: the run had ended before its turn.";

/** Components and the stack itself are not looked at in the world. */
function isOfWorld({ type }: Metadata): boolean {
  return (
    !isStack(type) && !type.startsWith("pulumi:providers:") && !/^mxhero:(?!index:)/.test(type)
  );
}

function isStack(type: string): boolean {
  return type === "pulumi:pulumi:Stack";
}

function placeOf(type: string): CheckId {
  return PLACES[type] ?? "gateway-changed";
}

function differs({ op, urn, diffs, detailedDiff }: Metadata): string {
  const name = urn.split("::").at(-1) ?? urn;
  if (op === "delete") return `${name} is gone.`;
  const paths = Object.keys(detailedDiff ?? {});
  const what = paths.length > 0 ? paths : (diffs ?? []);
  return `${name} is not as the last run left it: ${what.join(", ")}.`;
}

function unique(checks: readonly Check[]): Check[] {
  return checks.filter(
    ({ id, text }, index) =>
      checks.findIndex((other) => other.id === id && other.text === text) === index,
  );
}
