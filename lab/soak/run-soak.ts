/** Runs a soak: tenants live their lives at once, under mail, and every message is accounted for. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Account } from "./ledger.ts";
import { changes, liveOnce, oversightsOf, type PhaseBegin } from "./life.ts";
import type { SoakWorld } from "./soak-world.ts";
import type { Tenant } from "./tenant.ts";
import { startTraffic } from "./traffic.ts";

export interface SoakOptions {
  /** Of each tenant. */
  readonly cycles: number;
  /** Mail goes on until so many were begun. @default 0 */
  readonly atLeastMessages?: number;
  /** Between two messages, in milliseconds. */
  readonly intervalMilliseconds: number;
  /** How long tenants stay as they are between two steps, in milliseconds. */
  readonly restMilliseconds: number;
  readonly onProgress?: (line: string) => void;
}

export interface SoakResult {
  readonly cycles: number;
  readonly tenants: readonly string[];
  /** Milliseconds since the epoch. */
  readonly began: number;
  readonly ended: number;
  readonly phases: readonly PhaseBegin[];
  readonly account: Account;
}

/** How long mail may be under way after the last message was begun, in milliseconds. */
const patienceMilliseconds = 90_000;
const lookMilliseconds = 1000;

/** @throws {SoakRunError} if a run of Pulumi fails */
export async function runSoak(
  world: SoakWorld,
  tenants: readonly Tenant[],
  options: SoakOptions,
): Promise<SoakResult> {
  const { cycles, atLeastMessages = 0, intervalMilliseconds } = options;
  const began = Date.now();
  const phases: PhaseBegin[] = [];
  const traffic = startTraffic(world, tenants, intervalMilliseconds);
  try {
    await Promise.all(tenants.map((tenant) => live(world, tenant, options, phases)));
    while (world.book.sent < atLeastMessages) await sleep(lookMilliseconds);
    traffic.end();
    await settle(world);
  } finally {
    await traffic.stop();
  }
  const account = await world.book.account(await world.flushQueues());
  const names = tenants.map(({ spec }) => spec.name);
  return { cycles, tenants: names, began, ended: Date.now(), phases, account };
}

async function live(
  { book }: SoakWorld,
  tenant: Tenant,
  { cycles, restMilliseconds, onProgress = () => undefined }: SoakOptions,
  phases: PhaseBegin[],
): Promise<void> {
  const onPhase = (begin: PhaseBegin) => phases.push(begin);
  for (let cycle = 0; cycle < cycles; cycle += 1) {
    const change = at(changes, cycle + tenant.spec.index);
    const forgets = at(oversightsOf(tenant), cycle + tenant.spec.index + 1);
    await liveOnce(tenant, { change, forgets, restMilliseconds, onPhase });
    const mail = `${book.sent} messages sent, ${book.arrived} arrived`;
    onProgress(
      `${tenant.spec.name}: cycle ${cycle + 1} of ${cycles} (${change}, forgot ${forgets}); ${mail}`,
    );
  }
}

function at<T>(items: readonly T[], number: number): T {
  const item = items[number % items.length];
  if (item === undefined) throw new RangeError("There is nothing to choose from");
  return item;
}

/** Until no sender and no queue has a message any more, or it takes too long. */
async function settle(world: SoakWorld): Promise<void> {
  const deadline = Date.now() + patienceMilliseconds;
  while (Date.now() < deadline) {
    const queued = await world.flushQueues();
    if (queued.size === 0 && world.book.unsettled === 0) break;
    await sleep(lookMilliseconds);
  }
  // What has just left a queue is at a mail system, but perhaps not yet looked at.
  await sleep(lookMilliseconds);
}
