/** A change of a route waits until those have stopped to send whose mail it would refuse. */
import { lostSenders } from "../mail/lost-senders.ts";
import { outboundState, type QuietGoal } from "../mail/outbound-quiet.ts";
import { outboundRefusal, type Sender } from "../mail/outbound-words.ts";
import { formatNote } from "../mail/preview-note.ts";
import type { Route, RouteRecord } from "../mail/route.ts";
import { routeInForce, stageRefusal } from "../mail/route-life.ts";
import type { RouteStore } from "../store/route-store.ts";
import type { Call } from "./resource.ts";
import type { RouteInputs } from "./route-schema.ts";
import { isConfirmed, observeOutbound, untilQuiet } from "./until-quiet.ts";

/** @throws MailRuleError `outbound-still-sending`, `outbound-not-known`, `outbound-still-queued`: then nothing was changed */
export async function untilNobodyIsLost(
  store: RouteStore,
  before: RouteRecord | undefined,
  after: Route,
  inputs: RouteInputs,
  call: Call,
): Promise<void> {
  const wait = waitFor(before, after, inputs);
  if (wait === undefined || isConfirmed(wait.sender, call)) return;
  await untilQuiet(store, wait.sender, wait.goal, call);
}

/** For a preview: that the change will wait, or stop, as things are. */
export async function sayLosses(
  store: RouteStore,
  before: RouteRecord | undefined,
  after: Route,
  inputs: RouteInputs,
  call: Call,
): Promise<void> {
  const wait = waitFor(before, after, inputs);
  if (wait === undefined || isConfirmed(wait.sender, call)) return;
  const { sender, goal } = wait;
  const state = outboundState(await observeOutbound(store, sender.domain), goal, new Date());
  if (state.kind === "quiet") return;
  const id = state.kind === "unknown" ? "not-read" : "someone-still-sends";
  call.warn(formatNote(id, outboundRefusal(sender, state, goal.quietSeconds).message));
}

interface LossWait {
  readonly sender: Sender;
  readonly goal: QuietGoal;
}

function waitFor(
  record: RouteRecord | undefined,
  after: Route,
  { domain, sending }: RouteInputs,
): LossWait | undefined {
  const now = new Date();
  const before = record && routeInForce(record, now)?.route;
  if (record === undefined || before === undefined) return undefined;
  // What is refused already cannot be lost.
  if (stageRefusal(record, "outbound", now) !== undefined) return undefined;
  const lost = lostSenders(before, after);
  if (lost === undefined || sending === undefined || sending.quietSeconds === 0) return undefined;
  const { mailSystem, relay, quietSeconds } = sending;
  const sender = { domain, mailSystem, relay };
  return {
    sender,
    goal: { quietSeconds, ...(lost.kind === "some" && { isMeant: lost.isLost }) },
  };
}
