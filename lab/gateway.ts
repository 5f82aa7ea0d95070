/**
 * A stand-in for the gateway's `smtp-in`: passes mail for the domains that it has a route for on to
 * their Server.
 *
 * It keeps no queue: the client gets the Server's own answer. A real gateway accepts the message,
 * tries again later and bounces; for the question whether and where mail arrives, this is the same.
 */
import type { Certificate } from "./certificates.ts";
import { resolveAddresses, resolveMailHosts } from "./mail-hosts.ts";
import { domainOf, receivedBy } from "./message.ts";
import { transact } from "./smtp-client.ts";
import { type IncomingMessage, SmtpRefusal, startSmtpHost } from "./smtp-host.ts";

/** What the gateway knows of a domain. */
export interface GatewayRoute {
  /** Host name or IPv4 address of the system that finally receives the mail. */
  readonly server: string;
  /** Find the next hop by the MX records of `server` instead of its addresses. @default false */
  readonly mxLookup?: boolean;
  /** Accept mail for these recipients only. @default all */
  readonly recipients?: readonly string[];
}

export interface GatewayOptions {
  readonly name: string;
  /** One for each slot. */
  readonly addresses: readonly string[];
  readonly certificate: Certificate;
  /** Address of the recursive resolver. */
  readonly resolver: string;
}

export interface Gateway extends AsyncDisposable {
  readonly name: string;
  readonly addresses: readonly string[];
  /** By domain, in A-labels. Change it at any time. */
  readonly routes: Map<string, GatewayRoute>;
}

/** More trace fields than this mean a loop (RFC 5321 section 6.3). */
const maximumHops = 10;

/** Starts the gateway's slots. Resolves when they listen. */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const { name, addresses, certificate } = options;
  const routes = new Map<string, GatewayRoute>();
  const host = await startSmtpHost({
    name,
    addresses,
    certificate,
    check: (step, _clientAddress, recipient) => {
      if (step === "recipient") checkRecipient(routes, recipient);
    },
    accept: async (message) => {
      if (receivedBy(message.content).length > maximumHops) {
        throw new SmtpRefusal("554 5.4.6 Routing loop detected: too many hops");
      }
      for (const recipient of message.recipients) {
        await forward(options, message, recipient, routeOf(routes, recipient));
      }
    },
  });
  return { name, addresses, routes, [Symbol.asyncDispose]: () => host[Symbol.asyncDispose]() };
}

function routeOf(routes: ReadonlyMap<string, GatewayRoute>, recipient: string): GatewayRoute {
  const route = routes.get(domainOf(recipient));
  if (route === undefined) {
    throw new SmtpRefusal(`550 5.7.1 <${recipient}>: the gateway has no route for this domain`);
  }
  return route;
}

function checkRecipient(routes: ReadonlyMap<string, GatewayRoute>, recipient: string): void {
  const { recipients } = routeOf(routes, recipient);
  if (recipients?.includes(recipient.toLowerCase()) === false) {
    throw new SmtpRefusal(`550 5.1.1 <${recipient}>: no such user`);
  }
}

/** Tries the Server's addresses in turn until one accepts or refuses for good. */
async function forward(
  options: GatewayOptions,
  message: IncomingMessage,
  recipient: string,
  route: GatewayRoute,
): Promise<void> {
  let reply = `451 4.4.4 No address found for the Server ${route.server}`;
  for (const address of await serverAddresses(options.resolver, route)) {
    const result = await transact({
      address,
      localAddress: message.localAddress,
      name: options.name,
      sender: message.sender,
      recipient,
      content: message.content,
    });
    if (result.outcome === "delivered") return;
    reply = /^[45]\d\d /.test(result.reply) ? result.reply : `451 4.4.1 ${result.reply}`;
    if (result.outcome === "permanent") break;
  }
  throw new SmtpRefusal(reply);
}

async function serverAddresses(resolver: string, route: GatewayRoute): Promise<string[]> {
  if (!(route.mxLookup ?? false)) return resolveAddresses(resolver, route.server);
  const found = await resolveMailHosts(resolver, route.server);
  return found.status === "ok" ? found.hosts.flatMap(({ addresses }) => addresses) : [];
}
