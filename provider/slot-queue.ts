/**
 * The resource `SlotQueue`: the mail that a slot has accepted and still holds, on its volume.
 *
 * A slot whose instance is replaced keeps its queue, so the resource stays. A slot that is taken out of the
 * fleet is deleted only when its queue is empty: the engine comes here before the instance and the volume.
 */
import type { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";
import type { SlotReport } from "../mail/route.ts";
import { openStore, slotQueueInputs } from "./gateway-schema.ts";
import { inputChange } from "./input-changes.ts";
import type { ResourceKind } from "./resource.ts";
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

  async delete(_id, { slot, volume, store: inputs }, call) {
    if (call.settings.abandonedQueues.includes(slot)) {
      call.warn(`The queue of slot ${slot} is given up unread, as abandonedQueues says.`);
      return;
    }
    using store = openStore(inputs);
    let first: SlotReport | undefined;
    const find = async () => (await store.reports()).find((report) => report.slot === slot);
    const look = async (): Promise<Look> => {
      const report = await find();
      first ??= report;
      return seenOf(report, first);
    };
    await waitUntil({
      call,
      what: `the queue of slot ${slot} is empty`,
      look,
      failure: (seen) => notEmpty(slot, volume, seen),
    });
  },
};

/** A report from before the wait proves nothing: mail may have come since. */
function seenOf(report: SlotReport | undefined, first: SlotReport | undefined): Look {
  if (report === undefined) return { reached: false, seen: "it has never reported" };
  if (report.heartbeat === first?.heartbeat) {
    return { reached: false, seen: `its last report is of ${report.heartbeat}` };
  }
  const messages = report.queued === 1 ? "1 message" : `${report.queued} messages`;
  return { reached: report.queued === 0, seen: `${messages} at ${report.heartbeat}` };
}

function notEmpty(slot: string, volume: string, seen: string): MailRuleError {
  return new MailRuleError({
    code: "queue-not-empty",
    where: `slot ${slot}`,
    value: seen,
    problem: `Its queue on ${volume} is not known to be empty: ${seen}.`,
    fix:
      "Nothing is lost: the slot goes on delivering, and the same command goes on from here. " +
      `Where its instance is dead and the mail may be lost, say so: MXHERO_ABANDONED_QUEUES=${slot}.`,
  });
}
