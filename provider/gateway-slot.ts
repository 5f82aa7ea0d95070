/**
 * The resource `GatewaySlot`: a slot of the fleet, served by one instance.
 *
 * It exists from when its agent reports healthy until its addresses have been out of DNS for so long that
 * nobody knows them any more. What the slot's records depend on, and what depends on its instance: so the
 * engine takes it out of DNS before it touches the instance, and puts it in when it is proven.
 */
import type { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";
import type { SlotReport } from "../mail/route.ts";
import type { RouteStore } from "../store/route-store.ts";
import { createResolver, findApex, findNameServers } from "./dns.ts";
import { gatewaySlotInputs, gatewaySlotOutputs } from "./gateway-schema.ts";
import { inputChange } from "./input-changes.ts";
import { withRouteStore } from "./open-route-store.ts";
import type { Call, Change, ResourceKind } from "./resource.ts";
import { stackOf } from "./urn.ts";
import { type Look, pause, waitUntil } from "./wait.ts";

type Inputs = z.output<typeof gatewaySlotInputs>;
type Outputs = z.output<typeof gatewaySlotOutputs>;

export const gatewaySlot: ResourceKind<Inputs, Outputs> = {
  type: "mxhero:index:GatewaySlot",
  inputs: gatewaySlotInputs,
  outputs: gatewaySlotOutputs,

  diff(old, news) {
    const replacing = ["slot", "instance"] as const;
    // The time of the SPF record only matters when a slot begins.
    const updating = [
      "store",
      "bundle",
      "smtpIn",
      "smtpRelay",
      "inboundAddress",
      "relayAddress",
      "ttlSeconds",
    ] as const;
    const changes: Change[] = replacing.flatMap((key) =>
      inputChange(key, old[key], news[key]).map((change) => ({ ...change, replace: true })),
    );
    return [...changes, ...updating.flatMap((key) => inputChange(key, old[key], news[key]))];
  },

  async create(inputs, call) {
    if (call.preview) return { id: inputs.slot, outputs: inputs };
    const { slot } = inputs;
    const registered = await withRouteStore(inputs.store, async (store) => {
      // A removal that did not come to its end has closed it.
      await store.openSlot(slot);
      await untilHealthy(store, inputs, call);
      await untilSpfKnown(inputs, call);
      const now = new Date().toISOString();
      await store.registerSlot({ slot, registered: now });
      return now;
    });
    return { id: slot, outputs: { ...inputs, registered } };
  },

  async read(_id, old) {
    if (old === undefined) return undefined;
    const slots = await withRouteStore(old.store, (store) => store.slots());
    const found = slots.find(({ slot }) => slot === old.slot);
    if (found === undefined) return undefined;
    const { registered, ...inputs } = old;
    return { inputs, outputs: { ...inputs, registered } };
  },

  async update(_id, old, news, call) {
    if (!call.preview) {
      await withRouteStore(news.store, async (store) => {
        if (old.bundle !== news.bundle) await untilHealthy(store, news, call);
        await store.registerSlot({ slot: news.slot, registered: old.registered });
      });
    }
    return { ...news, registered: old.registered };
  },

  async delete(_id, old, call) {
    await untilOutOfDns(old, call);
    await pause(old.ttlSeconds, call, `waiting until resolvers have forgotten slot ${old.slot}`);
    await withRouteStore(old.store, (store) => store.removeSlot(old.slot));
  },
};

/** The report of an instance that is gone may still be there: only one that came since counts. */
async function untilHealthy(store: RouteStore, inputs: Inputs, call: Call): Promise<void> {
  const { slot, bundle } = inputs;
  let first: string | undefined;
  const look = async (): Promise<Look> => {
    const report = (await store.reports()).find((each) => each.slot === slot);
    first ??= report?.heartbeat ?? "none";
    return healthOf(report?.heartbeat === first ? undefined : report, bundle);
  };
  const failure = (seen: string, seconds: number) => notHealthy(inputs, call.urn, seen, seconds);
  await waitUntil({ call, what: `slot ${slot} is healthy`, look, failure });
}

function healthOf(report: SlotReport | undefined, bundle: string): Look {
  if (report === undefined) return { reached: false, seen: "it has not reported yet" };
  if (report.bundle !== bundle) {
    return { reached: false, seen: `it runs the bundle ${report.bundle.slice(0, 12)}` };
  }
  if (report.closing !== undefined) return { reached: false, seen: "it takes no mail yet" };
  return { reached: report.healthy, seen: report.faults.join("; ") || "it is not healthy yet" };
}

function notHealthy(inputs: Inputs, urn: string, seen: string, seconds: number): MailRuleError {
  const { slot, instance } = inputs;
  const stack = stackOf(urn);
  return new MailRuleError({
    code: "slot-not-healthy",
    where: `slot ${slot}`,
    value: seen,
    problem: `After ${seconds} s it is not healthy: ${seen}.`,
    fix:
      "It is not in DNS, and the other slots serve. Look at it by aws ssm start-session --target " +
      `${instance} (journalctl -u mxhero-gateway, /var/log/mxhero-bootstrap.log), then run the same command again. ` +
      "Where the configuration is to blame, correct it first: " +
      "docs/gateway.md, After a run that failed or was interrupted, has the commands, without which an up would " +
      "delete records in DNS that are gone. User data runs once: where it failed, the same commands, and then " +
      `pulumi up --stack ${stack} --replace <urn of the instance>, make another one (pulumi stack --show-urns).`,
  });
}

/** A receiver may keep the fleet's SPF record for its TTL: before that a new address would fail SPF. */
async function untilSpfKnown({ slot, spfChanged, ttlSeconds }: Inputs, call: Call): Promise<void> {
  if (spfChanged === undefined) return;
  const left = (Date.parse(spfChanged) - Date.now()) / 1_000 + ttlSeconds;
  const why = `waiting until receivers can know the SPF record that names slot ${slot}`;
  await pause(Math.min(left, ttlSeconds), call, why);
}

/** Every name server must have stopped naming the slot before the time that resolvers keep it begins. */
async function untilOutOfDns(old: Outputs, call: Call): Promise<void> {
  const resolver = createResolver(call.settings.resolvers);
  const names = [
    { name: old.smtpIn, address: old.inboundAddress },
    { name: old.smtpRelay, address: old.relayAddress },
  ];
  const servers = await findNameServers(resolver, await findApex(resolver, old.smtpIn));
  const look = async (): Promise<Look> => {
    const asked = names.flatMap((each) => servers.map((server) => ({ ...each, server })));
    const answers = await Promise.all(
      asked.map(async ({ name, address, server }) => {
        const { status, records } = await createResolver([server.address])(name, "A");
        const proven = status === "ok" || status === "nodata" || status === "nxdomain";
        return proven && !records.includes(address) ? [] : [`${server.name} for ${name}`];
      }),
    );
    const lagging = answers.flat();
    return { reached: lagging.length === 0, seen: `not yet at ${lagging.join(", ")}` };
  };
  await waitUntil({
    call,
    what: `slot ${old.slot} is out of DNS`,
    look,
    failure: (seen) => stillInDns(old, seen),
  });
}

function stillInDns({ slot, inboundAddress, relayAddress }: Outputs, seen: string): MailRuleError {
  return new MailRuleError({
    code: "slot-still-in-dns",
    where: `slot ${slot}`,
    value: `${inboundAddress}, ${relayAddress}`,
    problem: `Name servers still give its addresses, or do not answer: ${seen}.`,
    fix: "Delete records of it that stand beside the stack's, then run the same command again.",
  });
}
