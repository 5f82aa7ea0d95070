/**
 * What the gateway is compared with: a host with Debian's Postfix as its package sets it up, TLS included, told
 * only where mail goes.
 */
import { type Host, type HostOptions, startHost } from "../hosts/host.ts";

export interface BareRelayOptions extends HostOptions {
  /** Accepts mail for this domain, and delivers all of it to this address. */
  readonly domain: string;
  readonly server: string;
}

/** On a volume, as the gateway's queue is: Postfix waits for the disk before it says that it has a message. */
const volumeFolder = "/var/spool/mail-queue";
const queue = `${volumeFolder}/postfix`;

export async function startBareRelay({ domain, server, ...options }: BareRelayOptions) {
  const { directory, name } = options;
  const volume = { file: `${directory}/${name}.queue`, megabytes: 256, mountPoint: volumeFolder };
  const host = await startHost({ ...options, volume });
  await host.run(["mkdir", queue]);
  await configure(host, { domain, server });
  // Not in a chroot, which would need files of its own for DNS.
  await host.run(["postconf", "-F", "*/*/chroot = n"]);
  await host.run(["postfix", "start"]);
  return host;
}

async function configure(host: Host, { domain, server }: { domain: string; server: string }) {
  const debian = ["main.cf.debian", "main.cf.tls"].map((name) => `/usr/share/postfix/${name}`);
  const settings = [
    await host.run(["cat", ...debian]),
    `inet_interfaces = ${host.addresses[0]?.private}`,
    "mydestination =",
    "alias_maps =",
    "alias_database =",
    // The one domain that it takes mail for; from its neighbours it relays everything.
    `relay_domains = ${domain}`,
    "mynetworks = 10.0.0.0/8",
    `relay_transport = smtp:[${server}]`,
    "maillog_file = /var/log/postfix.log",
    `queue_directory = ${queue}`,
    "",
  ];
  await host.write("/etc/postfix/main.cf", settings.join("\n"));
}
