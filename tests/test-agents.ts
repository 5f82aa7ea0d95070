/** For tests: what a gateway's slots answer, given by plain clients of the route store. */
import { setTimeout as sleep } from "node:timers/promises";
import type { ProofStep, RouteRecord, SlotReport } from "../mail/route.ts";
import { recordEnd } from "../mail/route-life.ts";
import { ChangeReader } from "../store/change-reader.ts";
import type { RouteStore } from "../store/route-store.ts";

/** How a slot behaves. */
export interface Behaviour {
  /** Of a proposal: it proves, goes on trying, refuses it with this dialogue, or is dead and says nothing. */
  readonly proof: "proven" | "trying" | "silent" | readonly ProofStep[];
  /** Whether it takes active routes into its maps. */
  readonly acknowledges: boolean;
}

export const sound: Behaviour = { proof: "proven", acknowledges: true };
export const dead: Behaviour = { proof: "silent", acknowledges: false };

export interface TestAgents extends AsyncDisposable {
  /** How each slot behaves from now on; it looks again at all routes. */
  behave(slot: string, behaviour: Behaviour): void;
}

/** Registers the slots and answers for them until it is disposed of. */
export async function startAgents(
  store: RouteStore,
  slots: readonly string[],
): Promise<TestAgents> {
  const registered = new Date().toISOString();
  for (const slot of slots) await store.registerSlot({ slot, registered });
  const behaviours = new Map(slots.map((slot) => [slot, sound]));
  const records = new Map<string, RouteRecord>();
  const answered = new Set<string>();
  const stop = new AbortController();
  const reader = new ChangeReader({ store, sequence: 0 });

  const answerAll = async () => {
    for (const record of await reader.next()) records.set(record.domain, record);
    for (const record of records.values()) {
      for (const [slot, behaviour] of behaviours) {
        const key = `${slot} ${record.domain} ${record.revision}`;
        if (answered.has(key)) continue;
        answered.add(key);
        await answer(store, slot, record, behaviour);
      }
    }
  };
  const running = (async () => {
    while (!stop.signal.aborted) {
      await answerAll();
      await sleep(100);
    }
  })();
  return {
    behave: (slot, behaviour) => {
      behaviours.set(slot, behaviour);
      answered.clear();
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}

async function answer(
  store: RouteStore,
  slot: string,
  record: RouteRecord,
  { proof, acknowledges }: Behaviour,
): Promise<void> {
  const { domain, proposed, revision } = record;
  const expires = recordEnd(record);
  if (acknowledges) {
    const ends = expires === undefined ? {} : { expires };
    await store.putAnswer({ domain, slot, acknowledged: revision, ...ends });
  }
  if (proposed === undefined || proof === "silent") return;
  const { version } = proposed;
  const at = new Date().toISOString();
  const [verdict, steps] =
    typeof proof === "string" ? ([proof, tried] as const) : (["failed", proof] as const);
  await store.putAnswer({ domain, slot, proof: { version, at, verdict, steps } });
}

const tried: readonly ProofStep[] = [
  { action: "connect mail.contoso.test (192.0.2.7) port 25", outcome: "451 try again" },
];

/** What the slots report beside what a sound one does; `undefined`: it reports nothing. */
export type Reports = Map<string, Partial<SlotReport> | undefined>;

/** Reports for the slots every 200 ms, as agents do every 5 s, until it is disposed of. */
export function startReports(
  store: RouteStore,
  slots: readonly string[],
): AsyncDisposable & { readonly says: Reports } {
  const says: Reports = new Map(slots.map((slot) => [slot, {}]));
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      for (const [slot, said] of says) if (said !== undefined) await report(store, slot, said);
      await sleep(200);
    }
  })();
  return {
    says,
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      await running;
    },
  };
}

async function report(store: RouteStore, slot: string, said: Partial<SlotReport>): Promise<void> {
  const now = new Date().toISOString();
  const usual = { slot, heartbeat: now, toldUntil: now, bundle: "", healthy: true, faults: [] };
  await store.putReport({ ...usual, ...said });
}
