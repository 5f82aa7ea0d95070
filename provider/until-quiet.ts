/** Waits until a mail system sends nothing more to a gateway, or says who still sends. */
import { MailRuleError } from "../mail/errors.ts";
import {
  type OutboundState,
  type OutboundWorld,
  outboundState,
  type QuietGoal,
  queueOf,
} from "../mail/outbound-quiet.ts";
import {
  describeQueue,
  describeTraffic,
  needsWord,
  outboundRefusal,
  type Sender,
} from "../mail/outbound-words.ts";
import type { RouteStore } from "../store/route-store.ts";
import { withRouteStore } from "./open-route-store.ts";
import type { Call } from "./resource.ts";
import type { StorePlace } from "./route-schema.ts";
import { formatSeconds, sleepFor } from "./wait.ts";

/** Slots report every 5 s; one that does not within this time is silent. */
const REPORT_SECONDS = 30;
const LONGEST_PAUSE_SECONDS = 5;
const OTHER_PAUSE_SECONDS = { unknown: 1, queued: 5 };
const REPORT_EVERY_MS = 10_000;

/** @throws MailRuleError `outbound-stop-unconfirmed` unless the administrator has said so */
export function refuseUnconfirmed(sender: Sender, call: Call): void {
  if (!isConfirmed(sender, call)) throw needsWord(sender);
}

/** Whether the administrator has said that nothing goes out there any more. */
export function isConfirmed({ domain }: Pick<Sender, "domain">, call: Call): boolean {
  if (!call.settings.outboundStopped.includes(domain)) return false;
  call.warn(
    `Nobody asked whether ${domain} still sends through the gateway: MXHERO_OUTBOUND_STOPPED names it.`,
  );
  return true;
}

/**
 * Time that was quiet before counts. It waits only where the rest fits into `waitSeconds`: nobody should sit
 * before a wait that cannot end well.
 *
 * @throws MailRuleError `outbound-still-sending`, `outbound-not-known`, `outbound-still-queued`,
 *   `inbound-still-handed-over`
 */
export async function untilQuiet(
  store: RouteStore,
  sender: Sender,
  goal: QuietGoal,
  call: Call,
): Promise<void> {
  const start = Date.now();
  let reported = Number.NEGATIVE_INFINITY;
  for (;;) {
    call.signal.throwIfAborted();
    const state = outboundState(await observeOutbound(store, sender.domain), goal, new Date());
    if (state.kind === "quiet") return;
    const elapsed = (Date.now() - start) / 1_000;
    refuseHopeless(state, sender, goal, call.settings.waitSeconds - elapsed, elapsed);
    if (Date.now() - reported >= REPORT_EVERY_MS) {
      call.progress(`${sender.domain}: ${describeWait(state, goal)}`);
      reported = Date.now();
    }
    const rest = state.kind === "sending" ? state.seconds : OTHER_PAUSE_SECONDS[state.kind];
    await sleepFor(Math.min(Math.max(rest, 0.2), LONGEST_PAUSE_SECONDS) * 1_000, call);
  }
}

/** Where nobody asks whether the domain still sends: what waits to be delivered is told. A dead store is no hindrance. */
export async function warnOfQueue(
  place: StorePlace,
  { domain }: Sender,
  call: Call,
): Promise<void> {
  const world = await withRouteStore(place, (store) => observeOutbound(store, domain)).catch(
    (error: unknown) => {
      if (error instanceof MailRuleError) return undefined;
      throw error;
    },
  );
  const queue = world && queueOf(world);
  if (queue === undefined) return;
  call.warn(
    `Some mail of ${domain} waits at the gateway: ${describeQueue(queue)}. Receivers may refuse it, for the domain's SPF record does not name the gateway any more.`,
  );
}

/** What the gateway's slots say now. */
export async function observeOutbound(store: RouteStore, domain: string): Promise<OutboundWorld> {
  const [{ answers }, registered, reports] = await Promise.all([
    store.readDomain(domain),
    store.slots(),
    store.reports(),
  ]);
  return { answers, slots: registered.map(({ slot }) => slot), reports };
}

function refuseHopeless(
  state: Exclude<OutboundState, { kind: "quiet" }>,
  sender: Sender,
  goal: QuietGoal,
  left: number,
  elapsed: number,
): void {
  const isHopeless =
    (state.kind === "unknown" && elapsed >= REPORT_SECONDS) ||
    (state.kind === "sending" && state.seconds > left);
  if (isHopeless || left <= 0) throw outboundRefusal(sender, state, goal);
}

function describeWait(
  state: Exclude<OutboundState, { kind: "quiet" }>,
  { direction = "outbound" }: QuietGoal,
): string {
  if (state.kind === "unknown") {
    return `waiting for word from slot ${state.silent.map(({ slot }) => slot).join(", ")}`;
  }
  if (state.kind === "queued") {
    return `waiting until all is delivered that it has sent: ${describeQueue(state.queue)}`;
  }
  const { traffic, seconds } = state;
  return `waiting until ${direction} mail is quiet, ${formatSeconds(seconds)} more: ${describeTraffic(traffic)}`;
}
