/** Where the crash matrix lives with real hosts: Postfix and the agent, a Server and Relay Servers to prove. */
import { setTimeout as sleep } from "node:timers/promises";
import { gatewayZone } from "../lab/example-world.ts";
import { type Fleet, type FleetSlot, startFleet } from "../lab/hosts/fleet.ts";
import { startMailSystem } from "../lab/mail-system.ts";
import { testNet } from "../lab/test-net.ts";
import type { Matrix } from "./crash-matrix.ts";
import type { Damage } from "./crash-strikes.ts";
import {
  type CrashTenant,
  preparePlace,
  RELAY,
  RELAY_PASSWORD,
  RELAY_USER,
} from "./crash-tenant.ts";
import { sharedText, tracesOf } from "./crash-traces.ts";
import { startTenantLab, type TenantLab } from "./tenant.ts";

export interface FleetPlace extends AsyncDisposable {
  readonly matrix: Matrix;
  readonly fleet: Fleet;
}

export async function startFleetPlace(): Promise<FleetPlace> {
  await using parts = new AsyncDisposableStack();
  const lab = parts.use(await startTenantLab({ gateway: "none" }));
  const { directory, dns, authority } = lab.world;
  const { resolver } = dns;
  const fleet = parts.use(await startFleet({ net: testNet, directory, resolver, authority }));
  await publishNames(lab, fleet);
  parts.use(await startMailSystem({ name: "mail.server.test", address: `${testNet}.2.9` }));
  parts.use(
    await startMailSystem({
      name: RELAY,
      address: RELAY_ADDRESS,
      port: 587,
      certificate: await authority.issue(RELAY),
      logins: { [RELAY_USER]: RELAY_PASSWORD },
    }),
  );
  const { table, region, secretPrefix, keyId } = fleet.storeOptions;
  const routeStore = { table, region, secretPrefix, keyId, nextHops: "private" };
  const slots = fleet.slots.map(({ name }) => name);
  const reached = { lab, aws: fleet.moto.url, env: fleet.moto.env };
  const place = await preparePlace(reached, { slots, routeStore });
  const traces: Matrix["traces"] = async (tenant) => ({
    ...(await tracesOf(place, fleet.storeOptions, tenant, slots)),
    maps: (await Promise.all(fleet.slots.map((slot) => mapsOf(slot, tenant)))).flat(),
  });
  const owned = parts.move();
  return {
    matrix: { place, lanes: 1, traces },
    fleet,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

const RELAY_ADDRESS = `${testNet}.2.21`;

async function publishNames({ world: { dns } }: TenantLab, { slots }: Fleet): Promise<void> {
  const inbound = slots.map((slot) => slot.inbound.public);
  await dns.addZone(gatewayZone);
  await dns.publish(gatewayZone, [
    ...["smtp-in", "mx1", "mx2"].map((label) => addresses(`${label}.${gatewayZone}`, inbound)),
    addresses(
      `smtp-relay.${gatewayZone}`,
      slots.map(({ relay }) => relay.public),
    ),
    {
      name: `_spf.${gatewayZone}`,
      type: "TXT",
      ttl: 60,
      records: [`"v=spf1 ip4:${testNet}.1.0/24 -all"`],
    },
  ]);
  await dns.publish("mail-host.test", [addresses(RELAY, [RELAY_ADDRESS])]);
}

async function mapsOf(slot: FleetSlot, tenant: CrashTenant): Promise<string[]> {
  const lines = await traceLines(slot, tenant.domain);
  const entries = lines.filter((line) => line.includes(".lmdb "));
  return entries.map((line) => `${slot.name}: ${sharedText(tenant, line)}`).toSorted();
}

function addresses(name: string, records: readonly string[]) {
  return { name, type: "A", ttl: 60, records };
}

/** The lines that name the domain in a slot's maps, and in what its agent keeps on its disk. */
export async function traceLines({ host }: FleetSlot, domain: string): Promise<string[]> {
  const listed = await host.run(["sh", "-ec", list]);
  return listed.split("\n").filter((line) => line.includes(domain));
}

const list = `
cd /var/lib/mxhero-gateway/maps
for map in *.lmdb; do postmap -c /etc/postfix-in -s "lmdb:\${map%.lmdb}" | sed "s/^/$map /"; done
cat ../state/*`;

export async function killAgent({ host }: FleetSlot): Promise<void> {
  await host.run(["sh", "-c", "kill -9 $(cat /run/lab-systemd/mxhero-gateway.service.pid)"]);
}

/** The agent of a slot is killed, and started again by its host. */
export function agentKilled({ slots: [slot] }: Fleet): Damage {
  return {
    name: "agent",
    closes: () => false,
    happen: async () => {
      if (slot !== undefined) await killAgent(slot);
    },
  };
}

/** How long a host is without power. */
const OFF_MS = 2_000;

/** A host of the gateway loses its power, and boots while the run goes on. */
export function hostKilled({ slots: [slot] }: Fleet): Damage {
  return {
    name: "host",
    closes: () => false,
    happen: async ({ mend }) => {
      await slot?.host.kill();
      const booted = sleep(OFF_MS).then(() => slot?.host.boot());
      // The run may be over before it is on again.
      mend(() => booted);
    },
  };
}
