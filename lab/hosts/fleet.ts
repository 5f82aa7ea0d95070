/**
 * A fleet of gateway hosts with real Postfix and the real agent, set up without Pulumi: what a gateway's stack
 * makes on AWS is made here by hand, and routes are written straight into the store.
 */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { bundleAgent } from "../../gateway/bundle.ts";
import type { GatewayHostConfig, GatewayHostInput } from "../../gateway/host-config.ts";
import type { RelayLogin, Route, RouteRecord } from "../../mail/route.ts";
import type { RouteContent } from "../../mail/route-changes.ts";
import { RouteStore } from "../../store/route-store.ts";
import { type Moto, startMoto } from "../aws/moto.ts";
import { createRouteTable, type LabRouteStore } from "../aws/route-table.ts";
import type { CertificateAuthority } from "../certificates.ts";
import { type Host, LabHostError, startHost } from "./host.ts";

export interface FleetOptions {
  /** The first two octets of its public addresses, e.g. `127.3`. */
  readonly net: string;
  /** An existing folder of the lab, in memory. */
  readonly directory: string;
  /** Address of the recursive resolver. */
  readonly resolver: string;
  readonly authority: CertificateAuthority;
  /** @default 2 */
  readonly slots?: number;
  /** Size of each queue volume. @default 64 */
  readonly queueMegabytes?: number;
  /** Postfix accepts nothing while less than about twice this is free. @default 10 MiB */
  readonly maximumMessageBytes?: number;
  /** See `GatewayHostConfig`. */
  readonly clientLimits?: GatewayHostConfig["clientLimits"];
  readonly processor?: GatewayHostConfig["processor"];
}

/** A side of a slot: the address that it has, and the one that the world sees. */
export interface SlotAddress {
  readonly private: string;
  readonly public: string;
}

export interface FleetSlot {
  /** `a`, `b`, … */
  readonly name: string;
  readonly host: Host;
  /** Where mail for tenants arrives, and from where it goes on to their Servers. */
  readonly inbound: SlotAddress;
  /** Where tenants' mail systems hand mail in, and from where it goes to the world. */
  readonly relay: SlotAddress;
}

export interface Fleet extends AsyncDisposable {
  readonly slots: readonly FleetSlot[];
  readonly moto: Moto;
  readonly storeOptions: LabRouteStore;
  readonly store: RouteStore;
  /**
   * Writes routes as active ones, or whatever `record` says, and waits until every host that is on has them.
   *
   * @param organisation who holds them. @default each domain is held by an organisation of its name
   */
  activate(routes: readonly Route[], organisation?: string): Promise<void>;
  /** Puts a login's password where the agents look for it. @param version counts a domain's passwords, from 1 */
  putLogin(domain: string, user: string, password: string, version?: number): Promise<RelayLogin>;
  /** Writes a record over the one of before, and waits until every host that is on has it. */
  write(content: RouteContent): Promise<RouteRecord>;
}

export const fleetNames = {
  smtpIn: "smtp-in.gateway.test",
  smtpRelay: "smtp-relay.gateway.test",
  smtp: "smtp.gateway.test",
} as const;

const gateway = "example";
const program = "/opt/mxhero-gateway";
const serviceFile = fileURLToPath(
  new URL("../../gateway/agent/mxhero-gateway.service", import.meta.url),
);

/** The addresses of a slot, counted from 0. */
export function slotAddresses(net: string, index: number): Pick<FleetSlot, "inbound" | "relay"> {
  const inside = net.replace(/^127\./, "10.");
  const side = (number: number) => ({
    private: `${inside}.1.${number}`,
    public: `${net}.1.${number}`,
  });
  return { inbound: side(index + 1), relay: side(index + 11) };
}

/** Starts AWS's API, the store and the hosts. Resolves when every slot reports that it is well. */
export async function startFleet(options: FleetOptions): Promise<Fleet> {
  const { net, directory, slots: count = 2 } = options;
  await using parts = new AsyncDisposableStack();
  const moto = parts.use(await startMoto({ address: `${net}.5.1`, directory }));
  // The SDK looks for credentials there.
  Object.assign(process.env, moto.env);
  const storeOptions = await createRouteTable(moto, gateway);
  const store = parts.use(new RouteStore(storeOptions));
  await putCertificate(store, options.authority);
  const agent = await bundleAgent();
  const names = Array.from({ length: count }, (_, index) => String.fromCharCode(97 + index));
  const configs = names.map((_, index) => hostConfig(options, storeOptions, names, index));
  const started = await Promise.allSettled(
    configs.map((config) => startSlot({ options, config, moto, agent })),
  );
  // Where one fails, the others must have started before they can be stopped.
  for (const result of started) if (result.status === "fulfilled") parts.use(result.value.host);
  const slots = started.map((result) => {
    if (result.status === "rejected") throw result.reason;
    return result.value;
  });
  for (const { name } of slots) {
    await store.registerSlot({ slot: name, registered: new Date().toISOString() });
  }
  await waitFor("every slot reports that it is well", async () => unwellSlots(store, slots));
  const owned = parts.move();
  const write = (content: RouteContent) => writeAndWait(store, slots, content);
  return {
    slots,
    moto,
    storeOptions,
    store,
    write,
    putLogin: async (domain, user, password, version = 1) => {
      const secret = `relay/${domain}/${version}`;
      await store.putSecret(secret, password);
      return { user, secret, secretVersion: version };
    },
    activate: async (routes, organisation) => {
      const contents = routes.map((route) => activeContent(route, organisation));
      await Promise.all(contents.map(write));
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function activeContent(route: Route, organisation = route.domain): RouteContent {
  const { domain } = route;
  const holder = { organisation, claims: [`${domain}.1`] };
  return { domain, holder, active: { version: 1, route } };
}

async function putCertificate(store: RouteStore, authority: CertificateAuthority): Promise<void> {
  const { smtpIn, smtpRelay, smtp } = fleetNames;
  const { cert, key } = await authority.issue(smtpIn, { otherNames: [smtpRelay, smtp] });
  await store.putSecret("tls/certificate", cert);
  await store.putSecret("tls/key", key);
}

function bound(address: SlotAddress) {
  return { address: address.private, publicAddress: address.public };
}

function hostConfig(
  { net, processor, clientLimits, maximumMessageBytes = 10 * 2 ** 20 }: FleetOptions,
  store: LabRouteStore,
  names: readonly string[],
  index: number,
): GatewayHostInput {
  const { inbound, relay } = slotAddresses(net, index);
  const { table, region, secretPrefix, endpoint } = store;
  return {
    slot: names[index] ?? "",
    gateway,
    smtpIn: fleetNames.smtpIn,
    smtpRelay: fleetNames.smtpRelay,
    inbound: bound(inbound),
    relay: bound(relay),
    peers: names.flatMap((slot, other) =>
      other === index ? [] : [{ slot, inboundAddress: slotAddresses(net, other).inbound.private }],
    ),
    store: { table, region, secretPrefix, endpoint },
    bundle: "0".repeat(64),
    ...(processor === undefined ? {} : { processor }),
    // Every address of the lab is one of loopback.
    nextHops: "private",
    maximumMessageBytes,
    ...(clientLimits === undefined ? {} : { clientLimits }),
    networkTls: { certificateSecret: "tls/certificate", keySecret: "tls/key" },
  };
}

interface SlotStart {
  readonly options: FleetOptions;
  readonly config: GatewayHostInput;
  readonly moto: Moto;
  readonly agent: string;
}

/** Does what the user data does on AWS. */
async function startSlot({ options, config, moto, agent }: SlotStart): Promise<FleetSlot> {
  const { net, directory, resolver, authority, queueMegabytes = 64 } = options;
  const { slot: name, inbound, relay } = config;
  const addresses = [inbound, relay].map((side) => ({
    private: side.address,
    public: side.publicAddress,
  }));
  const [first, second] = addresses;
  if (first === undefined || second === undefined) throw new LabHostError(`${name} has no address`);
  const host = await startHost({
    name,
    directory,
    addresses: [first, second],
    address6: `fd00::${Number(net.split(".")[1])}:${name.codePointAt(0)}`,
    resolver,
    env: moto.env,
    binds: { [`${program}/node`]: process.execPath },
    volume: {
      file: `${directory}/${name}.queue`,
      megabytes: queueMegabytes,
      mountPoint: "/var/spool/mxhero-gateway",
    },
  });
  try {
    await host.write("/etc/mxhero-gateway/gateway.json", JSON.stringify(config));
    await host.write(`${program}/agent.js`, agent);
    const service = await readFile(serviceFile, "utf8");
    await host.write("/etc/systemd/system/mxhero-gateway.service", service);
    const authorities = await host.run(["cat", "/etc/ssl/certs/ca-certificates.crt"]);
    await host.write("/etc/ssl/certs/ca-certificates.crt", `${authorities}\n${authority.cert}`);
    await host.run(["sh", "-ec", prepare]);
    await host.run([`${program}/node`, `${program}/agent.js`, "install"]);
    await host.run(["systemctl", "enable", "--now", "mxhero-gateway"]);
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
  return { name, host, inbound: first, relay: second };
}

/** The queues lie on the volume. */
const prepare = `
for instance in postfix-in postfix-relay; do
  mkdir -p /var/spool/mxhero-gateway/$instance
  ln -sfn mxhero-gateway/$instance /var/spool/$instance
done`;

/** Writes what is in the store, whatever was there before. */
async function writeAndWait(
  store: RouteStore,
  slots: readonly FleetSlot[],
  content: RouteContent,
): Promise<RouteRecord> {
  const { record } = await store.readDomain(content.domain);
  const written = await store.writeRoute(content, record?.revision);
  await waitFor(`every slot knows revision ${written.revision} of ${content.domain}`, async () => {
    const { answers } = await store.readDomain(content.domain);
    const current = answers.filter(({ acknowledged = 0 }) => acknowledged >= written.revision);
    return slots
      .filter(({ name, host }) => host.running && !current.some(({ slot }) => slot === name))
      .map(({ name }) => `slot ${name} does not`);
  });
  return written;
}

async function unwellSlots(store: RouteStore, slots: readonly FleetSlot[]): Promise<string[]> {
  const reports = await store.reports();
  return slots.flatMap(({ name }) => {
    const report = reports.find(({ slot }) => slot === name);
    if (report?.healthy === true) return [];
    return [`slot ${name}: ${report?.faults.join("; ") ?? "no report"}`];
  });
}

const patienceSeconds = 60;

/** Until nothing is missing any more. @throws {LabHostError} with what is, after 60 s */
export async function waitFor(what: string, missing: () => Promise<readonly string[]>) {
  const deadline = Date.now() + patienceSeconds * 1000;
  for (;;) {
    const found = await missing();
    if (found.length === 0) return;
    if (Date.now() > deadline) throw new LabHostError(`Not so: ${what}. ${found.join(", ")}`);
    await sleep(100);
  }
}
