/** What the gateway is compared with: a host with Debian's Postfix, told only where mail goes. */
import { type Host, type HostOptions, startHost } from "../hosts/host.ts";

export interface BareRelayOptions extends HostOptions {
  /** Accepts mail for this domain, and delivers all of it to this address. */
  readonly domain: string;
  readonly server: string;
}

export async function startBareRelay({ domain, server, ...options }: BareRelayOptions) {
  const host = await startHost(options);
  await configure(host, { domain, server });
  await host.run(["postfix", "start"]);
  return host;
}

async function configure(host: Host, { domain, server }: { domain: string; server: string }) {
  const settings = [
    "compatibility_level = 3.6",
    `inet_interfaces = ${host.addresses[0]?.private}`,
    "mydestination =",
    "alias_maps =",
    "alias_database =",
    // The one domain that it takes mail for; from its neighbours it relays everything.
    `relay_domains = ${domain}`,
    "mynetworks = 10.0.0.0/8",
    `relayhost = [${server}]`,
    "maillog_file = /var/log/postfix.log",
    "",
  ];
  await host.write("/etc/postfix/main.cf", settings.join("\n"));
}
