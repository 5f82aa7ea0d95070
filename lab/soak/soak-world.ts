/**
 * Where a soak takes place: DNS, Cloudflare's API, a fleet of real gateway hosts, the real engine, mail servers
 * of different habits that send, and a mail system of the world's.
 */
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createResolver } from "../../provider/dns.ts";
import { type LabCloudflare, startCloudflare } from "../cloudflare/index.ts";
import { fleetNames } from "../hosts/fleet.ts";
import { type FleetWorld, flushQueues, queuesOf, startFleetWorld } from "../hosts/fleet-world.ts";
import { createPolicyCache } from "../mta-sts-client.ts";
import { type MtaStsHost, startMtaStsHost } from "../mta-sts-host.ts";
import { createProject, type PulumiProject } from "../pulumi.ts";
import { Book, localPart } from "./book.ts";
import { createCachingResolver } from "./caching-resolver.ts";
import { labMilliseconds, longestKept, patienceSeconds, recordSeconds } from "./clock.ts";
import { MailServer, type MailServerOptions } from "./mail-server.ts";

/** The stack whose outputs are those of a gateway's. */
export const gatewayStack = "organization/mail/fleet";

/** The owner of the world's own mail system, and a mailbox there. */
export const outside = "outside";
export const outsideReader = "reader@outside.test";

/** A mail server of the world, by its habit. */
export interface Stranger {
  readonly kind: string;
  readonly domain: string;
  readonly server: MailServer;
}

export interface SoakWorld extends AsyncDisposable {
  readonly fleet: FleetWorld;
  readonly cloudflare: LabCloudflare;
  readonly mtaSts: MtaStsHost;
  readonly project: PulumiProject;
  readonly book: Book;
  readonly strangers: readonly Stranger[];
  /** A mail server that sends, with a resolver that keeps records as it should. */
  sender(options: Omit<MailServerOptions, "resolver" | "patienceSeconds">): MailServer;
  /** Has the gateway's queues tried again at once, and gives the ids of what is in them. */
  flushQueues(): Promise<ReadonlySet<string>>;
}

const spfInclude = "_spf.fleet.test";

/** @param net the first two octets of its addresses */
export async function startSoakWorld(net: string): Promise<SoakWorld> {
  await using parts = new AsyncDisposableStack();
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "soak-"))).path;
  const fleet = parts.use(await startFleetWorld({ net }));
  const { dns, authority } = fleet;
  const cloudflare = parts.use(await startCloudflare({ net, dns }));
  const mtaSts = parts.use(await startMtaStsHost({ address: `${net}.3.1`, authority }));
  const ask = createResolver([dns.resolver]);
  const keeping = (times: number) =>
    createCachingResolver(ask, labMilliseconds(recordSeconds * times));
  const book = new Book({ resolver: keeping(1), behindBorder: addressesBehindBorder(fleet) });
  await publishGateway(fleet);
  const strangers = addStrangers(fleet, keeping);
  await addOutside(fleet, strangers, book);
  const project = await createProject({
    directory,
    env: {
      ...fleet.fleet.moto.env,
      CLOUDFLARE_BASE_URL: cloudflare.url,
      CLOUDFLARE_API_TOKEN: cloudflare.addToken({ name: "operator" }),
      MXHERO_RESOLVERS: dns.resolver,
      NODE_EXTRA_CA_CERTS: authority.file,
    },
  });
  await project.addOutputs("fleet", gatewayOutputs(fleet));
  const servers = strangers.map(({ server }) => server);
  parts.defer(() => {
    for (const server of servers) server.close();
  });
  const owned = parts.move();
  return {
    fleet,
    cloudflare,
    mtaSts,
    project,
    book,
    strangers,
    sender: (options) => {
      const patience = patienceSeconds.usual;
      const server = new MailServer({
        ...options,
        resolver: keeping(1),
        patienceSeconds: patience,
      });
      servers.push(server);
      return server;
    },
    flushQueues: () => flushAll(fleet),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** From where the fleet delivers to mail systems, and its own network, by which mail between tenants goes. */
function addressesBehindBorder({ fleet }: FleetWorld): ReadonlySet<string> {
  return new Set(
    fleet.slots.flatMap(({ inbound, relay }) => [inbound.public, inbound.private, relay.private]),
  );
}

async function publishGateway({ dns, fleet }: FleetWorld): Promise<void> {
  const terms = fleet.slots.map(({ relay }) => `ip4:${relay.public}`);
  await dns.addZone("fleet.test");
  await dns.publish("fleet.test", [
    {
      name: spfInclude,
      type: "TXT",
      ttl: recordSeconds,
      records: [`"v=spf1 ${terms.join(" ")} -all"`],
    },
  ]);
}

function gatewayOutputs({ fleet }: FleetWorld): Readonly<Record<string, unknown>> {
  const { table, region, secretPrefix, keyId } = fleet.storeOptions;
  const addresses = fleet.slots.map(({ name, inbound, relay }) => [
    name,
    { inbound: inbound.public, relay: relay.public },
  ]);
  return {
    ...fleetNames,
    mx: [{ exchange: fleetNames.smtpIn, preference: 10 }],
    spfInclude,
    slots: fleet.slots.map(({ name }) => name),
    addresses: Object.fromEntries(addresses),
    // Every address of the lab is one of loopback.
    routeStore: { table, region, secretPrefix, keyId, nextHops: "private" },
  };
}

type Keeping = (times: number) => MailServerOptions["resolver"];

/** Mail servers of the world, each with a habit that has cost mail elsewhere. */
function addStrangers({ net, dns, authority }: FleetWorld, keeping: Keeping): Stranger[] {
  const { usual, short } = patienceSeconds;
  const ca = authority.cert;
  const policies = createPolicyCache({ resolver: dns.resolver, ca });
  const habits: Readonly<Record<string, Partial<MailServerOptions>>> = {
    ordinary: {},
    "keeps records three times as long": { resolver: keeping(longestKept) },
    "uses connections again": { reusesConnections: true },
    "keeps to MTA-STS": { mtaSts: { policies, ca } },
    "gives up after 24 h": { patienceSeconds: short },
  };
  return Object.entries(habits).map(([kind, habit], index) => {
    const domain = `sender${index + 1}.test`;
    const name = `mx.${domain}`;
    const address = `${net}.4.${index + 1}`;
    const base = { name, address, resolver: keeping(1), patienceSeconds: usual };
    return { kind, domain, server: new MailServer({ ...base, ...habit }) };
  });
}

/** A mail system for those who send to tenants, and for whom tenants send to. */
async function addOutside(
  { net, dns, ...world }: FleetWorld,
  strangers: readonly Stranger[],
  book: Book,
): Promise<void> {
  const host = "mail.outside.test";
  const domains = ["outside.test", ...strangers.map(({ domain }) => domain)];
  await world.addMailSystem({
    name: host,
    address: `${net}.6.1`,
    domains,
    onMessage: (message) => book.receive(outside, message),
  });
  await world.addDomain("outside.test", host);
  for (const { domain, server } of strangers) {
    await world.addDomain(domain, host);
    const records = [`"v=spf1 ip4:${server.options.address} -all"`];
    await dns.publish(domain, [{ name: domain, type: "TXT", ttl: recordSeconds, records }]);
  }
}

async function flushAll({ fleet }: FleetWorld): Promise<ReadonlySet<string>> {
  const slots = fleet.slots.filter(({ host }) => host.running);
  await flushQueues(slots);
  return new Set((await queuesOf(slots)).map(({ sender }) => localPart(sender)));
}
