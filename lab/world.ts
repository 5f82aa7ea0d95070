/** A world of the lab: DNS, Cloudflare, the gateway, mail systems and a sender, in a block of addresses. */
import { randomUUID } from "node:crypto";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { MtaStsPolicy } from "../mail/mta-sts.ts";
import { type CertificateAuthority, createAuthority } from "./certificates.ts";
import { type LabCloudflare, startCloudflare } from "./cloudflare/index.ts";
import { type LabDns, startDns } from "./dns.ts";
import { type ExampleWorld, exampleWorld, gatewayZone } from "./example-world.ts";
import { type Gateway, startGateway } from "./gateway.ts";
import { type KeptMessage, type MailSystem, startMailSystem } from "./mail-system.ts";
import { type MtaStsHost, startMtaStsHost } from "./mta-sts-host.ts";
import { createSender, type DeliveryReport, type Mail, type Sender } from "./sender.ts";

export interface WorldOptions {
  /** The first two octets of its addresses, e.g. `127.3`. Worlds with different ones do not meet. */
  readonly net: string;
  /** `stand-in`: a gateway that knows the example's routes. `none`: its names are free. @default "stand-in" */
  readonly gateway?: "stand-in" | "none";
  /** Longest time, in seconds, that the resolver keeps an answer. @default 0 */
  readonly cacheSeconds?: number;
  /** Called as each part starts, with what it is. */
  readonly onProgress?: (step: string) => void;
  /** Called as a message arrives at a mail system. */
  readonly onMessage?: (message: KeptMessage) => void;
}

/** What became of a message. */
export interface Journey extends DeliveryReport {
  /** The hosts that it passed, the sender first; only the sender if it did not arrive. */
  readonly path: readonly string[];
}

export interface World extends AsyncDisposable {
  readonly net: string;
  /** A folder that is removed with the world. */
  readonly directory: string;
  readonly dns: LabDns;
  readonly cloudflare: LabCloudflare;
  /** Identifier at Cloudflare, by the name of the zone. */
  readonly zoneIds: ReadonlyMap<string, string>;
  /** The stand-in. */
  readonly gateway: Gateway | undefined;
  /** By host name. */
  readonly mailSystems: ReadonlyMap<string, MailSystem>;
  readonly mtaStsHost: MtaStsHost;
  readonly authority: CertificateAuthority;
  /** Keeps to MTA-STS policies. */
  readonly sender: Sender;
  /**
   * The endpoints for code under test: `CLOUDFLARE_BASE_URL`, `CLOUDFLARE_API_TOKEN` (all zones),
   * `CLOUDFLARE_API_TOKEN_FABRIKAM` (the zones of that account), `MXHERO_RESOLVERS`,
   * `NODE_EXTRA_CA_CERTS`.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Delivers a message from outside and tells which way it went, which a real gateway takes a moment for. */
  send(mail: Mail): Promise<Journey>;
  /** The way of a new message to the domain's postmaster. */
  mailPath(domain: string): Promise<Journey>;
  /**
   * Publishes the MTA-STS policy of a domain: the policy file, and the records in the tenant's zone.
   * Called again, it replaces the policy and its id.
   */
  publishPolicy(domain: string, policy: MtaStsPolicy): Promise<void>;
}

/**
 * Starts the example world.
 *
 * @throws if an address is in use, or a program does not start
 */
export async function startWorld(options: WorldOptions): Promise<World> {
  const { net, cacheSeconds = 0, onProgress = () => undefined } = options;
  const standIn = (options.gateway ?? "stand-in") === "stand-in";
  const example = exampleWorld(net);
  await using parts = new AsyncDisposableStack();
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "lab-"))).path;
  const authority = await createAuthority(directory);

  onProgress("DNS");
  const dns = parts.use(await startDns({ net, directory, cacheSeconds }));
  const { resolver } = dns;
  for (const { name, rrsets } of example.publicZones) {
    if (name === gatewayZone && !standIn) continue;
    await dns.addZone(name);
    await dns.publish(name, rrsets);
  }

  onProgress("Cloudflare's API");
  const cloudflare = parts.use(await startCloudflare({ net, dns }));
  const zoneIds = await addTenantZones(cloudflare, example);

  onProgress(standIn ? "gateway and mail systems" : "mail systems");
  const mail = parts.use(await startMailHosts({ example, authority, resolver, options }));
  const sender = createSender({ ...example.sender, resolver, ca: authority.cert });
  const { mailSystems, gateway, mtaStsHost } = mail;
  const send = async (letter: Mail) => follow(await sender.send(letter), sender, mailSystems);
  const owned = parts.move();
  return {
    net,
    directory,
    dns,
    cloudflare,
    zoneIds,
    gateway,
    mailSystems,
    mtaStsHost,
    authority,
    sender,
    env: endpoints({ cloudflare, zoneIds, example, resolver, authority }),
    send,
    mailPath: (domain) => send({ to: `postmaster@${domain}` }),
    publishPolicy: (domain, policy) =>
      publishPolicy({ cloudflare, zoneIds, mtaStsHost }, domain, policy),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

interface MailHostOptions extends Pick<World, "authority"> {
  readonly example: ExampleWorld;
  readonly resolver: string;
  readonly options: WorldOptions;
}

async function startMailHosts({ example, authority, resolver, options }: MailHostOptions) {
  await using parts = new AsyncDisposableStack();
  const { net, onMessage = () => undefined } = options;
  const mailSystems = new Map<string, MailSystem>();
  for (const system of example.mailSystems) {
    const certificate = await authority.issue(system.name);
    const started = await startMailSystem({ ...system, certificate, onMessage });
    mailSystems.set(system.name, parts.use(started));
  }
  const gateway =
    options.gateway === "none"
      ? undefined
      : parts.use(await startStandIn({ example, authority, resolver }));
  const mtaStsHost = parts.use(await startMtaStsHost({ address: `${net}.3.1`, authority }));
  const owned = parts.move();
  const dispose = () => owned.disposeAsync();
  return { mailSystems, gateway, mtaStsHost, [Symbol.asyncDispose]: dispose };
}

async function startStandIn({ example, authority, resolver }: Omit<MailHostOptions, "options">) {
  const certificate = await authority.issue(example.gateway.name);
  const gateway = await startGateway({ ...example.gateway, certificate, resolver });
  for (const [domain, route] of example.routes) gateway.routes.set(domain, route);
  return gateway;
}

async function addTenantZones(
  cloudflare: LabCloudflare,
  { tenantZones }: ExampleWorld,
): Promise<Map<string, string>> {
  const ids = new Map<string, string>();
  for (const { records, ...zone } of tenantZones) {
    const id = await cloudflare.addZone(zone);
    await cloudflare.seed(id, records);
    ids.set(zone.name, id);
  }
  return ids;
}

interface Endpoints extends Pick<World, "cloudflare" | "zoneIds" | "authority"> {
  readonly example: ExampleWorld;
  readonly resolver: string;
}

function endpoints({ cloudflare, zoneIds, example, resolver, authority }: Endpoints) {
  const fabrikam = example.tenantZones
    .filter(({ account }) => account === "Fabrikam")
    .flatMap(({ name }) => zoneIds.get(name) ?? []);
  return {
    CLOUDFLARE_BASE_URL: cloudflare.url,
    CLOUDFLARE_API_TOKEN: cloudflare.addToken({ name: "operator" }),
    CLOUDFLARE_API_TOKEN_FABRIKAM: cloudflare.addToken({ name: "fabrikam", zones: fabrikam }),
    MXHERO_RESOLVERS: resolver,
    NODE_EXTRA_CA_CERTS: authority.file,
  };
}

/** How long a message that was taken may be under way, in milliseconds. */
const arrivalMilliseconds = 30_000;

/** Looks for the message where it is kept. A gateway with a queue hands it on a little later. */
async function follow(
  report: DeliveryReport,
  sender: Sender,
  mailSystems: ReadonlyMap<string, MailSystem>,
): Promise<Journey> {
  const deadline = Date.now() + arrivalMilliseconds;
  for (;;) {
    const kept = [...mailSystems.values()]
      .flatMap(({ messages }) => messages)
      .find(({ id }) => id === report.id);
    const settled = kept !== undefined || report.outcome !== "delivered" || Date.now() > deadline;
    if (settled) return { ...report, path: [sender.name, ...(kept?.path ?? [])] };
    await sleep(20);
  }
}

async function publishPolicy(
  { cloudflare, zoneIds, mtaStsHost }: Pick<World, "cloudflare" | "zoneIds" | "mtaStsHost">,
  domain: string,
  { mode, mx, maxAge }: MtaStsPolicy,
): Promise<void> {
  const [zone, id] = [...zoneIds].find(([name]) => `.${domain}`.endsWith(`.${name}`)) ?? [];
  if (zone === undefined || id === undefined) throw new RangeError(`No zone holds ${domain}`);
  const lines = ["version: STSv1", `mode: ${mode}`, ...mx.map((host) => `mx: ${host}`)];
  mtaStsHost.policies.set(domain, `${[...lines, `max_age: ${maxAge}`].join("\r\n")}\r\n`);
  const names = [`mta-sts.${domain}`, `_mta-sts.${domain}`];
  const remove = cloudflare.snapshot(id).filter(({ name }) => names.includes(name));
  const version = `v=STSv1; id=${randomUUID().replaceAll("-", "")};`;
  await cloudflare.edit(id, {
    remove,
    add: [
      { name: `mta-sts.${domain}`, type: "A", content: mtaStsHost.address },
      { name: `_mta-sts.${domain}`, type: "TXT", content: `"${version}"` },
    ],
  });
}
