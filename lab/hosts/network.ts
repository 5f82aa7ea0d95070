/**
 * The lab's side of a host's network: a link, and public addresses translated one to one, as AWS does it.
 *
 * Public addresses are of 127.0.0.0/8, where everything else of the lab listens. The host itself only knows
 * its private ones. IPv6 addresses are not translated.
 */
import { randomBytes } from "node:crypto";
import { requireNamespace, runAsRoot } from "./root.ts";

export interface HostAddress {
  /** The one that the host has, e.g. `10.3.1.1`. */
  readonly private: string;
  /** The one that everybody else sees, e.g. `127.3.1.1`. */
  readonly public?: string;
}

export interface LinkOptions {
  /** The host's first process. */
  readonly pid: number;
  /** The host's next hop: the lab, e.g. `10.3.0.1`. */
  readonly router: string;
  readonly addresses: readonly HostAddress[];
  readonly address6?: string;
}

export interface Link extends AsyncDisposable {
  /** No packet passes in either direction any more, and nobody is told. `false` ends it. */
  cut(off: boolean): Promise<void>;
}

/** Plugs a host in. */
export async function plugIn(options: LinkOptions): Promise<Link> {
  requireNamespace();
  const name = `lab-${randomBytes(4).toString("hex")}`;
  const { pid, router, addresses, address6 } = options;
  const routes = addresses.map((address) => `ip route add ${address.private} dev ${name}`);
  const routes6 =
    address6 === undefined ? [] : [`ip route add ${address6} via fe80::2 dev ${name}`];
  const all = "net.ipv4.conf.all";
  await runScript([
    `ip link add ${name} type veth peer name eth0 netns ${pid}`,
    `sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 ${all}.route_localnet=1`,
    `sysctl -qw ${all}.rp_filter=0 net.ipv4.conf.${name}.route_localnet=1`,
    `ip address add ${router}/32 dev ${name}`,
    `ip address add fe80::1/64 dev ${name} nodad`,
    `ip link set ${name} up`,
    ...routes,
    ...routes6,
  ]);
  await runAsRoot(["nft", "--file", "-"], translation(name, options));
  return {
    cut: (off) => cut(name, off),
    [Symbol.asyncDispose]: () =>
      runScript([
        `nft delete table inet ${name}`,
        `nft delete table ip ${name}`,
        // The kernel may have removed it already: it goes with the host.
        `ip link del ${name} 2>/dev/null || ! ip link show ${name} 2>/dev/null`,
      ]),
  };
}

/** Gives the lab itself a further address, e.g. `fd00::2:1`, for a server that is no host. */
export async function addLabAddress(address: string): Promise<void> {
  requireNamespace();
  await runAsRoot(["ip", "address", "replace", address, "dev", "lo", "nodad"]);
}

async function runScript(lines: readonly string[]): Promise<void> {
  await runAsRoot(["sh", "-e"], `${lines.join("\n")}\n`);
}

/** Rules of nftables, in tables with the link's name. */
function translation(name: string, { router, addresses }: LinkOptions): string {
  const pairs = addresses.flatMap((address) =>
    address.public === undefined ? [] : [{ inside: address.private, outside: address.public }],
  );
  const arriving = pairs.map(({ inside, outside }) => `ip daddr ${outside} dnat to ${inside}`);
  // Between private addresses nothing is translated.
  const leaving = pairs.map(
    ({ inside, outside }) =>
      `ip saddr ${inside} ct original ip daddr 127.0.0.0/8 snat to ${outside}`,
  );
  // For the host, 127.0.0.1 is itself.
  const local = `oifname ${name} ip saddr 127.0.0.1 snat to ${router}`;
  return [
    `table ip ${name} {`,
    natChain("prerouting", "-100", arriving),
    natChain("output", "-100", arriving),
    natChain("postrouting", "100", [...leaving, local]),
    natChain("input", "100", leaving),
    "}",
    `table inet ${name} {`,
    ...["input", "output", "forward"].map(
      (hook) => `chain ${hook} { type filter hook ${hook} priority 0; }`,
    ),
    "}",
  ].join("\n");
}

function natChain(hook: string, priority: string, rules: readonly string[]): string {
  return `chain ${hook} { type nat hook ${hook} priority ${priority}; ${rules.join("; ")}; }`;
}

async function cut(name: string, off: boolean): Promise<void> {
  const chains = ["input", "output", "forward"];
  const flush = chains.map((chain) => `flush chain inet ${name} ${chain}`);
  const drop = [
    `add rule inet ${name} input iifname ${name} drop`,
    `add rule inet ${name} output oifname ${name} drop`,
    `add rule inet ${name} forward iifname ${name} drop`,
    `add rule inet ${name} forward oifname ${name} drop`,
  ];
  await runAsRoot(["nft", "--file", "-"], [...flush, ...(off ? drop : [])].join("\n"));
}
