/**
 * The resource `SlotGuard`: stands on a slot's records in DNS, so that whatever takes the slot out of DNS, a
 * replacement or a removal, comes to it first. It refuses unless another slot is healthy and takes the mail.
 */
import type { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";
import type { SlotReport } from "../mail/route.ts";
import type { RouteStore } from "../store/route-store.ts";
import { servedDomains } from "./gateway-fleet.ts";
import { slotGuardInputs } from "./gateway-schema.ts";
import { inputChange } from "./input-changes.ts";
import { withRouteStore } from "./open-route-store.ts";
import type { Call, ResourceKind } from "./resource.ts";
import { type Look, waitUntil } from "./wait.ts";

type Inputs = z.output<typeof slotGuardInputs>;

/** Slots report every 5 s; one that did not for so long counts as dead. */
const REPORT_SECONDS = 30;

export const slotGuard: ResourceKind<Inputs, Inputs> = {
  type: "mxhero:index:SlotGuard",
  inputs: slotGuardInputs,
  outputs: slotGuardInputs,

  diff(old, news) {
    const replacing = ["slot", "instance"] as const;
    return [
      ...replacing.flatMap((key) =>
        inputChange(key, old[key], news[key]).map((change) => ({ ...change, replace: true })),
      ),
      ...inputChange("store", old.store, news.store),
    ];
  },

  create: (inputs) => Promise.resolve({ id: inputs.slot, outputs: inputs }),

  read: (_id, old) =>
    Promise.resolve(old === undefined ? undefined : { inputs: old, outputs: old }),

  update: (_id, _old, news) => Promise.resolve(news),

  async delete(_id, { slot, store: place }, call) {
    if (call.settings.uncoveredSlots.includes(slot)) {
      call.warn(
        `Nobody asked whether another slot than ${slot} is healthy: uncoveredSlots names it.`,
      );
      return;
    }
    await withRouteStore(place, (store) => untilCovered(store, slot, call));
  },
};

async function untilCovered(store: RouteStore, slot: string, call: Call): Promise<void> {
  const domains = await servedDomains(store);
  if (domains.length === 0) return;
  const others = (await store.slots()).map((each) => each.slot).filter((each) => each !== slot);
  if (others.length === 0) throw isLast(slot, domains);
  let first: readonly SlotReport[] | undefined;
  const look = async (): Promise<Look> => {
    const reports = await store.reports();
    first ??= reports;
    return coverOf(others, reports, first);
  };
  await waitUntil({
    call,
    what: `another slot than ${slot} reports healthy`,
    look,
    atMostSeconds: REPORT_SECONDS,
    failure: (seen) => notCovered(slot, seen),
  });
}

/** Only reports that came since count: clocks differ. */
function coverOf(
  others: readonly string[],
  reports: readonly SlotReport[],
  first: readonly SlotReport[],
): Look {
  const beats = new Set(first.map(({ slot, heartbeat }) => `${slot} ${heartbeat}`));
  const sick = others.flatMap((slot) => {
    const report = reports.find((each) => each.slot === slot);
    const isNew = report !== undefined && !beats.has(`${slot} ${report.heartbeat}`);
    const fault = faultOf(report, isNew);
    return fault === undefined ? [] : `slot ${slot}: ${fault}`;
  });
  return { reached: sick.length < others.length, seen: sick.join("; ") };
}

function faultOf(report: SlotReport | undefined, isNew: boolean): string | undefined {
  if (report === undefined) return "it has never reported";
  if (!isNew) return `its last report is of ${report.heartbeat}`;
  if (report.closing !== undefined) return "it takes no mail";
  return report.healthy ? undefined : report.faults.join(", ") || "it is not healthy";
}

function isLast(slot: string, domains: readonly string[]): MailRuleError {
  return new MailRuleError({
    code: "slot-is-last",
    where: `slot ${slot}`,
    value: domains.slice(0, NAMED_DOMAINS).join(", "),
    problem: `No other slot serves, and mail of ${domains.length === 1 ? "1 domain" : `${domains.length} domains`} goes through the gateway. Nothing was changed.`,
    fix: `Bring another slot up first. ${override(slot)}`,
  });
}

/** How many domains a refusal names. */
const NAMED_DOMAINS = 50;

function notCovered(slot: string, seen: string): MailRuleError {
  return new MailRuleError({
    code: "slot-not-covered",
    where: `slot ${slot}`,
    value: seen,
    problem: `It is about to leave DNS, and no other slot is healthy: ${seen}. Nothing was changed.`,
    fix: `Mend one of them (aws ssm start-session), then run the same command again: it goes on from here. ${override(slot)}`,
  });
}

function override(slot: string): string {
  return (
    "Where this change is the remedy, and senders may keep their mail meanwhile, say so: " +
    `MXHERO_UNCOVERED_SLOTS=${slot}.`
  );
}
