/** A world with a fleet: DNS, hosts with the real gateway, and mail systems that a test adds. */
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Route } from "../../mail/route.ts";
import { type Certificate, type CertificateAuthority, createAuthority } from "../certificates.ts";
import { type LabDns, startDns } from "../dns.ts";
import { type MailSystem, type MailSystemOptions, startMailSystem } from "../mail-system.ts";
import { SmtpDialogue } from "../smtp-dialogue.ts";
import { type Fleet, type FleetOptions, type FleetSlot, fleetNames, startFleet } from "./fleet.ts";

export type FleetWorldOptions = Omit<FleetOptions, "directory" | "resolver" | "authority">;

export interface WorldMailSystemOptions extends Omit<MailSystemOptions, "certificate"> {
  /** @default one for its name */
  readonly certificate?: Certificate | "none";
}

export interface FleetWorld extends AsyncDisposable {
  readonly net: string;
  readonly dns: LabDns;
  readonly authority: CertificateAuthority;
  readonly fleet: Fleet;
  /** @throws RangeError if there is none */
  slot(name: string): FleetSlot;
  /** Starts a mail system and gives its name an address. */
  addMailSystem(options: WorldMailSystemOptions): Promise<MailSystem>;
  /** Makes a domain whose mail goes to a host. @param mx @default smtp-in of the fleet */
  addDomain(domain: string, mx?: string): Promise<void>;
  /** A session with smtp-in of a slot, from an address of the world. @param from e.g. `4.1` for `<net>.4.1` */
  toInbound(slot: string, from?: string): Promise<SmtpDialogue>;
  /** A session with smtp-relay of a slot, after EHLO. */
  toRelay(slot: string, from: string): Promise<SmtpDialogue>;
}

export async function startFleetWorld(options: FleetWorldOptions): Promise<FleetWorld> {
  const { net } = options;
  await using parts = new AsyncDisposableStack();
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "lab-"))).path;
  const authority = await createAuthority(directory);
  const dns = parts.use(await startDns({ net, directory }));
  const fleet = parts.use(
    await startFleet({ ...options, directory, resolver: dns.resolver, authority }),
  );
  await publishNames(dns, fleet.slots);
  const slot = (name: string) => {
    const found = fleet.slots.find((candidate) => candidate.name === name);
    if (found === undefined) throw new RangeError(`There is no slot ${name}`);
    return found;
  };
  const names = new MailNames(dns);
  const owned = parts.move();
  return {
    net,
    dns,
    authority,
    fleet,
    slot,
    addMailSystem: async (system) => {
      const { certificate = await authority.issue(system.name), ...rest } = system;
      const tls = certificate === "none" ? {} : { certificate };
      const started = owned.use(await startMailSystem({ ...rest, ...tls }));
      await names.addHost(system.name, system.address);
      return started;
    },
    addDomain: (domain, mx = fleetNames.smtpIn) => names.addDomain(domain, mx),
    toInbound: (name, from = "4.1") => open(slot(name).inbound.public, `${net}.${from}`),
    toRelay: (name, from) => open(slot(name).relay.public, `${net}.${from}`),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Names and addresses as the gateway's stack publishes them. */
export async function publishNames(dns: LabDns, slots: readonly FleetSlot[]): Promise<void> {
  for (const { inbound, relay } of slots) {
    await dns.host(fleetNames.smtpIn, inbound.public);
    await dns.host(fleetNames.smtpRelay, relay.public);
    await dns.host(fleetNames.smtp, relay.public);
  }
}

/** Domains, and hosts that may lie in them: a zone hides what its parent has below its name. */
class MailNames {
  readonly #dns: LabDns;
  readonly #hosts: { readonly name: string; readonly address: string }[] = [];
  readonly #domains: string[] = [];

  constructor(dns: LabDns) {
    this.#dns = dns;
  }

  async addHost(name: string, address: string): Promise<void> {
    this.#hosts.push({ name, address });
    const domain = this.#domains.find((candidate) => name.endsWith(`.${candidate}`));
    if (domain === undefined) await this.#dns.host(name, address);
    else await this.#dns.publish(domain, [{ name, type: "A", ttl: 60, records: [address] }]);
  }

  async addDomain(domain: string, mx: string): Promise<void> {
    this.#domains.push(domain);
    await this.#dns.addZone(domain);
    const hosts = this.#hosts.filter(({ name }) => name.endsWith(`.${domain}`));
    await this.#dns.publish(domain, [
      { name: domain, type: "MX", ttl: 60, records: [`10 ${mx}.`] },
      ...hosts.map(({ name, address }) => ({ name, type: "A", ttl: 60, records: [address] })),
    ]);
  }
}

async function open(address: string, localAddress: string): Promise<SmtpDialogue> {
  const dialogue = await SmtpDialogue.open({ address, localAddress });
  await dialogue.hello();
  return dialogue;
}

/**
 * Messages in the queue of a host's instance, with the reasons why they are still there.
 *
 * The queue is listed twice: a message that Postfix moves meanwhile may be missed once, or be listed twice. What is
 * gone by the second list is returned, too.
 */
export async function queueOf(
  { host }: Pick<FleetSlot, "host">,
  instance: "postfix-in" | "postfix-relay",
): Promise<QueuedMessage[]> {
  const messages = new Map<string, QueuedMessage>();
  for (let list = 0; list < 2; list += 1) {
    const lines = await host.run(["postqueue", "-c", `/etc/${instance}`, "-j"]);
    for (const line of lines.split("\n").filter((text) => text !== "")) {
      const { queue_id: id, sender, recipients }: QueueEntry = JSON.parse(line);
      messages.set(id, {
        sender,
        recipients: recipients.map(({ address }) => address),
        reason: recipients.map(({ delay_reason: reason = "" }) => reason).join("; "),
      });
    }
  }
  return [...messages.values()];
}

/**
 * Messages in all queues of these slots: those of the relay sides first, since mail passes from there to the inbound
 * side of any slot, never back.
 */
export async function queuesOf(slots: readonly FleetSlot[]): Promise<QueuedMessage[]> {
  const messages: QueuedMessage[] = [];
  for (const instance of ["postfix-relay", "postfix-in"] as const) {
    const queues = await Promise.all(slots.map((slot) => queueOf(slot, instance)));
    messages.push(...queues.flat());
  }
  return messages;
}

/** Has Postfix try at once what it has put off. */
export async function flushQueues(slots: readonly FleetSlot[]): Promise<void> {
  for (const instance of ["postfix-relay", "postfix-in"]) {
    const command = ["postqueue", "-c", `/etc/${instance}`, "-f"];
    await Promise.all(slots.map(({ host }) => host.run(command)));
  }
}

export interface QueuedMessage {
  readonly sender: string;
  readonly recipients: readonly string[];
  /** Empty as long as it was not tried. */
  readonly reason: string;
}

/** A line of `postqueue -j`: see postqueue(1). */
interface QueueEntry {
  readonly queue_id: string;
  readonly sender: string;
  readonly recipients: readonly { readonly address: string; readonly delay_reason?: string }[];
}

/** A route as most tenants have it; `identities` makes it one that sends, too. */
export function exampleRoute(domain: string, fields: Partial<Route> = {}): Route {
  return {
    domain,
    server: `mail.${domain}`,
    mxLookup: false,
    rcptLookup: { kind: "off" },
    inbound: true,
    outbound: fields.identities === undefined ? "none" : "standard",
    identities: [],
    probeRecipient: `info@${domain}`,
    fixIt: "https://help.gateway.test/inactive",
    ...fields,
  };
}
