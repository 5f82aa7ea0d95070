/** The lab's recursive resolver: unbound, validating DNSSEC from the lab's own root. */

import { Resolver } from "node:dns/promises";
import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Program } from "./program.ts";

export interface UnboundOptions {
  readonly address: string;
  /** Is created; it takes the configuration and the log. */
  readonly directory: string;
  readonly root: { readonly name: string; readonly address: string };
  /** DS record data of the root. */
  readonly trustAnchor: string;
  readonly cacheSeconds: number;
}

const settings = ({ address, directory, trustAnchor, cacheSeconds }: UnboundOptions) => `\
server:
  interface: ${address}
  outgoing-interface: ${address}
  access-control: 127.0.0.0/8 allow
  do-ip6: no
  do-not-query-localhost: no
  # unbound answers the reserved names of RFC 6761 itself unless told otherwise.
  local-zone: "test." nodefault
  local-zone: "invalid." nodefault
  # The world's addresses are of 127.0.0.0/8.
  local-zone: "127.in-addr.arpa." nodefault
  module-config: "validator iterator"
  root-hints: "${join(directory, "root.hints")}"
  trust-anchor: ". DS ${trustAnchor}"
  qname-minimisation: no
  cache-max-ttl: ${cacheSeconds}
  cache-max-negative-ttl: ${cacheSeconds}
  # Else "does not exist" is derived from older answers, and a new zone stays invisible.
  aggressive-nsec: no
  trust-anchor-signaling: no
  # A server that was down must be asked again as soon as it is back.
  infra-host-ttl: 1
  infra-cache-max-rtt: 1000
  unknown-server-time-limit: 50
  outgoing-range: 512
  num-queries-per-thread: 256
  directory: "${directory}"
  chroot: ""
  username: ""
  pidfile: ""
  use-syslog: no
  logfile: ""
  val-log-level: 2
  log-servfail: yes
remote-control:
  control-enable: no
`;

/** Starts unbound; resolves when it answers for the root server's name. */
export async function startUnbound(options: UnboundOptions): Promise<Program> {
  const { address, directory, root } = options;
  mkdirSync(directory, { recursive: true });
  const configuration = join(directory, "unbound.conf");
  writeFileSync(configuration, settings(options));
  const hints = `. 3600000 NS ${root.name}.\n${root.name}. 3600000 A ${root.address}\n`;
  writeFileSync(join(directory, "root.hints"), hints);
  // Where AppArmor is on, Debian's profile of /usr/sbin/unbound admits no configuration here; a copy has none.
  const executable = join(directory, "unbound");
  copyFileSync("/usr/sbin/unbound", executable);
  const program = new Program(
    `unbound (${address})`,
    [executable, "-d", "-c", configuration],
    join(directory, "log"),
  );
  try {
    await program.ready(() => answers(address, root.name));
  } catch (error) {
    await program[Symbol.asyncDispose]();
    throw error;
  }
  return program;
}

async function answers(address: string, name: string): Promise<boolean> {
  const resolver = new Resolver({ timeout: 500, tries: 1 });
  resolver.setServers([address]);
  return await resolver.resolve4(name).then(
    () => true,
    () => false,
  );
}
