/**
 * The resource `SlotGuard`: stands on a slot's records in DNS, so that whatever takes the slot out of DNS, a
 * replacement or a removal, comes to it first. It refuses unless another slot is in DNS, healthy and takes the mail.
 *
 * It is made when the records are there: its mark in the route store says so, from then until they are about to go.
 */
import type { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";
import type { SlotReport } from "../mail/route.ts";
import type { RouteStore } from "../store/route-store.ts";
import { servedDomains } from "./gateway-fleet.ts";
import { slotGuardInputs, slotGuardOutputs } from "./gateway-schema.ts";
import { inputChange } from "./input-changes.ts";
import { withRouteStore } from "./open-route-store.ts";
import type { Call, ResourceKind } from "./resource.ts";
import { nameOf, stackOf } from "./urn.ts";
import { type Look, waitUntil } from "./wait.ts";

type Inputs = z.output<typeof slotGuardInputs>;
type Outputs = z.output<typeof slotGuardOutputs>;

/** Slots report every 5 s; one that did not for so long counts as dead. */
const REPORT_SECONDS = 30;

export const slotGuard: ResourceKind<Inputs, Outputs> = {
  type: "mxhero:index:SlotGuard",
  inputs: slotGuardInputs,
  outputs: slotGuardOutputs,

  diff(old, news) {
    const replacing = ["slot", "instance"] as const;
    return [
      ...replacing.flatMap((key) =>
        inputChange(key, old[key], news[key]).map((change) => ({ ...change, replace: true })),
      ),
      ...inputChange("store", old.store, news.store),
      ...inputChange("published", old.published, true),
    ];
  },

  create: async (inputs, call) => ({ id: inputs.slot, outputs: await publish(inputs, call) }),

  /** A run that ended right after the mark was taken away has left the records: an update marks them again. */
  async read(_id, old) {
    if (old === undefined) return undefined;
    const { published: _, ...inputs } = old;
    const marked = await withRouteStore(old.store, (store) => store.publishedSlots());
    return { inputs, outputs: { ...inputs, published: marked.includes(old.slot) } };
  },

  update: (_id, _old, news, call) => publish(news, call),

  async delete(_id, { slot, store: place }, call) {
    await withRouteStore(place, async (store) => {
      if (call.settings.uncoveredSlots.includes(slot)) {
        call.warn(
          `Nobody asked whether another slot than ${slot} is healthy: MXHERO_UNCOVERED_SLOTS names it.`,
        );
      } else {
        await untilCovered(store, slot, call);
      }
      await store.unmarkPublished(slot);
    });
  },
};

async function publish(inputs: Inputs, call: Call): Promise<Outputs> {
  if (!call.preview) {
    await withRouteStore(inputs.store, (store) => store.markPublished(inputs.slot));
  }
  return { ...inputs, published: true };
}

async function untilCovered(store: RouteStore, slot: string, call: Call): Promise<void> {
  const domains = await servedDomains(store);
  if (domains.length === 0) return;
  const others = (await store.slots()).map((each) => each.slot).filter((each) => each !== slot);
  if (others.length === 0) throw isLast(slot, domains, call);
  let first: readonly SlotReport[] | undefined;
  const look = async (): Promise<Look> => {
    const reports = await store.reports();
    first ??= reports;
    return coverOf(others, { published: await store.publishedSlots(), reports, first });
  };
  await waitUntil({
    call,
    what: `another slot than ${slot} is in DNS and healthy`,
    look,
    atMostSeconds: REPORT_SECONDS,
    failure: (seen) => notCovered(slot, seen, call),
  });
}

interface Seen {
  readonly published: readonly string[];
  readonly reports: readonly SlotReport[];
  /** The reports of the first look. */
  readonly first: readonly SlotReport[];
}

/** Only reports that came since count: clocks differ. */
function coverOf(others: readonly string[], { published, reports, first }: Seen): Look {
  const beats = new Set(first.map(({ slot, heartbeat }) => `${slot} ${heartbeat}`));
  const faulty = others.flatMap((slot) => {
    const report = reports.find((each) => each.slot === slot);
    const isNew = report !== undefined && !beats.has(`${slot} ${report.heartbeat}`);
    const fault = published.includes(slot) ? faultOf(report, isNew) : "it is not in DNS";
    return fault === undefined ? [] : `slot ${slot}: ${fault}`;
  });
  return { reached: faulty.length < others.length, seen: faulty.join("; ") };
}

function faultOf(report: SlotReport | undefined, isNew: boolean): string | undefined {
  if (report === undefined) return "it has never reported";
  if (!isNew) return `its last report is of ${report.heartbeat}`;
  if (report.closing !== undefined) return "it takes no mail";
  return report.healthy ? undefined : report.faults.join(", ") || "it is not healthy";
}

function isLast(slot: string, domains: readonly string[], call: Call): MailRuleError {
  return new MailRuleError({
    code: "slot-is-last",
    where: `slot ${slot}`,
    value: domains.slice(0, NAMED_DOMAINS).join(", "),
    problem: `No other slot serves, and mail of ${domains.length === 1 ? "1 domain" : `${domains.length} domains`} goes through the gateway. Nothing of slot ${slot} was changed.`,
    fix: `Bring another slot up first: ${commandsWithout(call)}. ${override(slot)}`,
  });
}

/** How many domains a refusal names. */
const NAMED_DOMAINS = 50;

function notCovered(slot: string, seen: string, call: Call): MailRuleError {
  return new MailRuleError({
    code: "slot-not-covered",
    where: `slot ${slot}`,
    value: seen,
    problem: `It is about to leave DNS, and no other slot is in DNS and healthy: ${seen}. Nothing of slot ${slot} was changed.`,
    fix:
      "Where one is not healthy, mend it (aws ssm start-session), then run the same command again: it goes on from here. " +
      `Where one is not in DNS, bring it back first: ${commandsWithout(call)}; then the same command. ${override(slot)}`,
  });
}

/**
 * An `up` comes to the slots by their letters. So that it comes to another one first, it leaves out this one's
 * resources, which have its name or begin with it.
 */
function commandsWithout({ urn }: Call): string {
  const stack = stackOf(urn);
  const name = nameOf(urn);
  return (
    "as docs/gateway.md, After a run that failed or was interrupted, says, with " +
    `pulumi up --stack ${stack} --exclude '**::${name}' --exclude '**::${name}-*'`
  );
}

function override(slot: string): string {
  return (
    "Where this change is the remedy, and senders may keep their mail meanwhile, say so in the environment: " +
    `MXHERO_UNCOVERED_SLOTS=${slot}.`
  );
}
