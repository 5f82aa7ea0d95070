/** The example tenants' stack files, on a gateway whose stack keeps the routes itself. */
import { parse, stringify } from "yaml";
import { z } from "zod";

const stackFile = z.object({
  config: z.looseObject({ "mail:domains": z.array(z.looseObject({ name: z.string() })) }),
});

/**
 * What the gateway is told of each domain beside what stands in the file: a mailbox that exists, the mail
 * system's own address, and for the bookshop a Relay Server.
 */
function routeOf(name: string, net: string): Readonly<Record<string, unknown>> {
  const routes: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
    "contoso.test": { sendingFrom: [`${net}.2.1`] },
    "sub.contoso.test": {},
    "bücher.test": {
      sendingFrom: [`${net}.2.3`],
      relayServer: { host: "filter.mail-host.test", tls: "required" },
    },
    "fabrikam.test": { sendingFrom: [`${net}.2.4`] },
    "fabrikam-mailing.test": { sendingFrom: [`${net}.2.4`] },
  };
  return { probeRecipient: `postmaster@${name}`, ...routes[name] };
}

/** @param net the first two octets of the world's addresses */
export function onOwnGateway(file: string, net: string): string {
  const { config } = stackFile.parse(parse(file));
  const domains = config["mail:domains"].map((domain) => ({
    ...domain,
    // A day is not what a demonstration waits for.
    quietSeconds: 10,
    ...routeOf(domain.name, net),
  }));
  return stringify({
    config: {
      ...config,
      // Names of stacks begin with "organization" where the state lies in a folder.
      "mail:gateway": { stack: "organization/mail/gateway" },
      "mail:fixIt": "https://help.gateway.test/inactive",
      "mail:domains": domains,
    },
  });
}
