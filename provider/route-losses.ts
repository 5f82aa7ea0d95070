/** A change of a route waits until those have stopped to send whose mail it would refuse. */
import { lostSenders } from "../mail/lost-senders.ts";
import { outboundState, type QuietGoal } from "../mail/outbound-quiet.ts";
import { outboundRefusal, type Sender } from "../mail/outbound-words.ts";
import { formatNote } from "../mail/preview-note.ts";
import type { Route, RouteRecord } from "../mail/route.ts";
import { type MailDirection, routeInForce, stageRefusal } from "../mail/route-life.ts";
import type { RouteStore } from "../store/route-store.ts";
import type { Call } from "./resource.ts";
import type { RouteInputs } from "./route-schema.ts";
import { isConfirmed, observeOutbound, untilQuiet } from "./until-quiet.ts";

/** A route as it is, and as it is to be. */
export interface RouteChange {
  readonly record: RouteRecord | undefined;
  readonly after: Route;
  readonly inputs: RouteInputs;
  /** What the inputs were before. */
  readonly old: RouteInputs | undefined;
}

/**
 * @throws MailRuleError `outbound-still-sending`, `outbound-not-known`, `outbound-still-queued`,
 *   `inbound-still-handed-over`: then nothing was changed
 */
export async function untilNobodyIsLost(
  store: RouteStore,
  change: RouteChange,
  call: Call,
): Promise<void> {
  const waits = waitsFor(change);
  if (waits.length === 0 || isConfirmed(change.inputs, call)) return;
  for (const { sender, goal } of waits) await untilQuiet(store, sender, goal, call);
}

/** For a preview: that the change will wait, or stop, as things are. */
export async function sayLosses(store: RouteStore, change: RouteChange, call: Call): Promise<void> {
  const waits = waitsFor(change);
  if (waits.length === 0 || isConfirmed(change.inputs, call)) return;
  const world = await observeOutbound(store, change.inputs.domain);
  for (const { sender, goal } of waits) {
    const state = outboundState(world, goal, new Date());
    if (state.kind === "quiet") continue;
    const id = state.kind === "unknown" ? "not-read" : "someone-still-sends";
    call.warn(formatNote(id, outboundRefusal(sender, state, goal).message));
  }
}

interface LossWait {
  readonly sender: Sender;
  readonly goal: QuietGoal;
}

function waitsFor(change: RouteChange): LossWait[] {
  return [...waitsForSenders(change), ...waitsForHandingOver(change)];
}

function waitsForSenders({ record, after, inputs: { domain, sending } }: RouteChange): LossWait[] {
  const before = served(record, "outbound");
  const lost = before && lostSenders(before, after);
  if (lost === undefined || sending === undefined || sending.quietSeconds === 0) return [];
  const { mailSystem, relay, quietSeconds } = sending;
  const isMeant = lost.kind === "some" ? { isMeant: lost.isLost } : {};
  return [{ sender: { domain, mailSystem, relay }, goal: { quietSeconds, ...isMeant } }];
}

/** A mail system that hands inbound mail over does so whatever the MX are. */
function waitsForHandingOver({ record, after, inputs, old }: RouteChange): LossWait[] {
  const { domain, sending } = inputs;
  const relay = old?.sending?.handsOverTo;
  const isEnd = served(record, "inbound")?.inbound === true && !after.inbound;
  if (!isEnd || relay === undefined || sending === undefined || sending.quietSeconds === 0) {
    return [];
  }
  const { mailSystem, quietSeconds } = sending;
  return [{ sender: { domain, mailSystem, relay }, goal: { quietSeconds, direction: "inbound" } }];
}

/** The route in force, where it takes mail, or puts it off: what is refused already cannot be lost. */
function served(record: RouteRecord | undefined, direction: MailDirection): Route | undefined {
  const now = new Date();
  if (record === undefined || stageRefusal(record, direction, now)?.action === "refuse")
    return undefined;
  return routeInForce(record, now)?.route;
}
