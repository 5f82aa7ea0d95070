/**
 * The resource `SlotQueue`: the mail that a slot has accepted and still holds, on its volume.
 *
 * A slot whose instance is replaced keeps its queue, so the resource stays. A slot that is taken out of the
 * fleet is told to take no more mail, and deleted only when its queue is empty then: the engine comes here
 * before the instance and the volume. `GatewaySlot` has the slot take mail again where it is to stay after all.
 */
import type { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";
import type { SlotReport } from "../mail/route.ts";
import type { RouteStore } from "../store/route-store.ts";
import { slotQueueInputs } from "./gateway-schema.ts";
import { inputChange } from "./input-changes.ts";
import { withRouteStore } from "./open-route-store.ts";
import type { Call, ResourceKind } from "./resource.ts";
import { type Look, waitUntil } from "./wait.ts";

type Inputs = z.output<typeof slotQueueInputs>;

export const slotQueue: ResourceKind<Inputs, Inputs> = {
  type: "mxhero:index:SlotQueue",
  inputs: slotQueueInputs,
  outputs: slotQueueInputs,

  diff(old, news) {
    const replacing = ["slot", "volume"] as const;
    return [
      ...replacing.flatMap((key) =>
        inputChange(key, old[key], news[key]).map((change) => ({ ...change, replace: true })),
      ),
      ...inputChange("store", old.store, news.store),
    ];
  },

  create: (inputs) => Promise.resolve({ id: inputs.volume, outputs: inputs }),

  read: (_id, old) =>
    Promise.resolve(old === undefined ? undefined : { inputs: old, outputs: old }),

  update: (_id, _old, news) => Promise.resolve(news),

  async delete(_id, queue, call) {
    if (call.settings.abandonedQueues.includes(queue.slot)) {
      call.warn(
        `The queue of slot ${queue.slot} is given up unread, as MXHERO_ABANDONED_QUEUES says.`,
      );
      return;
    }
    // The mark stays: until the instance has ended, it is to take nothing.
    await withRouteStore(queue.store, (store) => untilEmpty(store, queue, call));
  },
};

async function untilEmpty(store: RouteStore, { slot, volume }: Inputs, call: Call): Promise<void> {
  const mark = await store.closeSlot(slot);
  let empty: string | undefined;
  const look = async (): Promise<Look> => {
    const report = (await store.reports()).find((each) => each.slot === slot);
    const { reached, seen } = queueOf(report, mark);
    // Twice: a message that is moved within the queue may be missed once.
    const isSecond = empty !== undefined && empty !== report?.heartbeat;
    if (!reached) empty = undefined;
    else empty ??= report?.heartbeat;
    return { reached: reached && isSecond, seen };
  };
  await waitUntil({
    call,
    what: `slot ${slot} takes no more mail, and its queue is empty`,
    look,
    failure: (seen) => notEmpty(slot, volume, seen),
  });
}

/** Only a slot that takes no more mail can say that nothing is left. */
function queueOf(report: SlotReport | undefined, mark: string): Look {
  if (report === undefined) return { reached: false, seen: "it has never reported" };
  const { heartbeat, queued, closing } = report;
  const messages = `${queued ?? "an unknown number of"} ${queued === 1 ? "message" : "messages"}`;
  const isClosed = closing?.mark === mark && closing.isClosed;
  const taking = isClosed ? "" : ", and it still takes mail";
  return { reached: isClosed && queued === 0, seen: `${messages} at ${heartbeat}${taking}` };
}

function notEmpty(slot: string, volume: string, seen: string): MailRuleError {
  return new MailRuleError({
    code: "queue-not-empty",
    where: `slot ${slot}`,
    value: seen,
    problem: `Its queue on ${volume} is not known to be empty for good: ${seen}.`,
    fix:
      "Nothing is lost: the slot takes no more mail and goes on delivering, and the same command goes on from here. " +
      `Where its instance is dead and the mail may be lost, say so: MXHERO_ABANDONED_QUEUES=${slot}.`,
  });
}
