/** Mail that the tenants send to a stranger: which way it takes. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { resolveAddresses } from "../mail-hosts.ts";
import type { MailSystem } from "../mail-system.ts";
import { composeMessage } from "../message.ts";
import { transact } from "../smtp-client.ts";
import type { World } from "../world.ts";

const recipient = "ann@sender.test";

/** How long a message may be under way, in milliseconds. */
const patience = 30_000;

/** What became of one message. */
export interface Sending {
  readonly domain: string;
  /** The hosts that it passed, the domain's mail system first; empty if it did not arrive. */
  readonly path: readonly string[];
  /** What the gateway answered. */
  readonly reply: string;
}

/** Sends a message of a domain from its mail system, as that does with the gateway as its smarthost. */
export async function sendThroughGateway(
  { dns, mailSystems }: World,
  outside: readonly MailSystem[],
  domain: string,
): Promise<Sending> {
  const system = [...mailSystems.values()].find(({ domains }) => domains.includes(domain));
  const [address] = await resolveAddresses(dns.resolver, "smtp-relay.gateway.test");
  if (system === undefined || address === undefined) {
    return { domain, path: [], reply: "smtp-relay.gateway.test has no address" };
  }
  const sender = `postmaster@${domain}`;
  const id = randomUUID();
  const { reply, outcome } = await transact({
    address,
    localAddress: system.address,
    name: system.name,
    sender,
    recipient,
    content: composeMessage({ id, from: sender, to: recipient, subject: "A letter to a stranger" }),
  });
  if (outcome !== "delivered") return { domain, path: [], reply };
  const deadline = Date.now() + patience;
  while (Date.now() < deadline) {
    const kept = outside.flatMap(({ messages }) => messages).find((message) => message.id === id);
    if (kept !== undefined) return { domain, path: [system.name, ...kept.path], reply };
    await sleep(20);
  }
  return { domain, path: [], reply };
}

/** What is not as the stacks say. @param relayServer by domain, where there is one */
export function faultsOfSending(
  sendings: readonly Sending[],
  relayServers: ReadonlyMap<string, string>,
): string[] {
  return sendings.flatMap(({ domain, path, reply }) => {
    if (path.length === 0) return [`Mail of ${domain} did not arrive: ${reply}.`];
    const last = path.at(-1);
    const expected = relayServers.get(domain) ?? "mx.sender.test";
    return last === expected ? [] : [`Mail of ${domain} arrived at ${last}, not at ${expected}.`];
  });
}
