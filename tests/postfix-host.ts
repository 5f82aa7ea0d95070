/** One gateway host with real Postfix, without an agent: its maps are written by the test. */
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type GatewayHostConfig, HOST_PATHS } from "../gateway/host-config.ts";
import { withFleetHosts } from "../gateway/postfix/fleet-hosts.ts";
import { renderHostFiles, renderHostFolders } from "../gateway/postfix/host-files.ts";
import { MAP_NAMES, mapSource, renderMaps, SECRET_MAP } from "../gateway/postfix/maps.ts";
import { SESSIONS_MAP, sessionsSource } from "../gateway/postfix/sessions.ts";
import { exampleHost, exampleRecord } from "../gateway/postfix/testdata/example.ts";
import { type CertificateAuthority, createAuthority } from "../lab/certificates.ts";
import { type LabDns, startDns } from "../lab/dns.ts";
import { type Host, startHost } from "../lab/hosts/host.ts";
import type { Route, RouteRecord } from "../mail/route.ts";

export interface PostfixHost extends AsyncDisposable {
  readonly host: Host;
  readonly dns: LabDns;
  readonly authority: CertificateAuthority;
  /** What the world sees of the two sides. */
  readonly inbound: string;
  readonly relay: string;
  /** From where it connects to IPv6 addresses. */
  readonly address6: string;
  /** Puts these routes in place of all others. */
  setRoutes(routes: readonly (Route | RouteRecord)[], now?: Date): Promise<void>;
  /** From now on everyone may relay: a policy service that always says so. */
  allowRelay(): Promise<void>;
  /** What an instance has logged. */
  log(side: "inbound" | "relay"): Promise<string>;
  /** Runs a command of Postfix on one instance: `postqueue -p`. */
  postfix(side: "inbound" | "relay", program: string, ...args: readonly string[]): Promise<string>;
}

export interface PostfixHostOptions {
  /** The first two octets of its addresses, e.g. `127.3`. */
  readonly net: string;
  readonly config?: Partial<GatewayHostConfig>;
}

const directories = {
  inbound: HOST_PATHS.inboundInstance,
  relay: HOST_PATHS.relayInstance,
};

/** Starts DNS and the host, and Postfix in it. Resolves when both instances run. */
export async function startPostfixHost(options: PostfixHostOptions): Promise<PostfixHost> {
  const { net } = options;
  const inside = net.replace("127.", "10.");
  const address6 = `fd00::${net.slice("127.".length)}:1:11`;
  const [inbound, relay] = [`${net}.1.11`, `${net}.1.12`];
  const config = exampleHost({
    nextHops: "private",
    smtpIn: "smtp-in.gateway.test",
    smtpRelay: "smtp-relay.gateway.test",
    inbound: { address: `${inside}.1.11`, publicAddress: inbound },
    relay: { address: `${inside}.1.12`, publicAddress: relay },
    peers: [],
    ...options.config,
  });
  await using parts = new AsyncDisposableStack();
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "lab-"))).path;
  const authority = await createAuthority(directory);
  const dns = parts.use(await startDns({ net, directory }));
  await dns.host(config.smtpIn, inbound);
  await dns.host(config.smtpRelay, relay);
  const host = parts.use(
    await startHost({
      name: "slot-a",
      directory,
      addresses: [
        { private: config.inbound.address, public: inbound },
        { private: config.relay.address, public: relay },
      ],
      address6,
      resolver: dns.resolver,
    }),
  );
  await install(host, config, authority);
  const owned = parts.move();
  const postfix = (side: "inbound" | "relay", program: string, ...args: readonly string[]) =>
    host.run([program, "-c", directories[side], ...args]);
  return {
    host,
    dns,
    authority,
    inbound,
    relay,
    address6,
    setRoutes: (routes, now = new Date()) => writeMaps(host, routes, now),
    allowRelay: () => allowRelay(host),
    log: (side) =>
      host.run(["cat", side === "inbound" ? HOST_PATHS.inboundLog : HOST_PATHS.relayLog]),
    postfix,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function install(host: Host, config: GatewayHostConfig, authority: CertificateAuthority) {
  for (const { path, owner, mode } of renderHostFolders(config)) {
    await host.run(["install", "-d", "-o", owner, "-m", mode.toString(8), path]);
  }
  for (const { path, content } of renderHostFiles(config)) await host.write(path, content);
  const { key, cert } = await authority.issue(config.smtpIn);
  await host.write(HOST_PATHS.tlsChain, key + cert, "0600");
  await host.write(HOST_PATHS.authorities, authority.cert);
  const hosts = await host.run(["cat", "/etc/hosts"]);
  await host.write("/etc/hosts", withFleetHosts(hosts, config));
  await writeMaps(host, [], new Date());
  for (const directory of Object.values(directories)) {
    await host.run(["postfix", "-c", directory, "check"]);
    await host.run(["postfix", "-c", directory, "start"]);
  }
}

/** Rebuilds every map in place; the secret one is root's alone. */
async function writeMaps(host: Host, routes: readonly (Route | RouteRecord)[], now: Date) {
  const records = routes.map((route) => ("server" in route ? exampleRecord(route) : route));
  const maps = renderMaps(records, now, ({ secret }) => secret);
  const sources = MAP_NAMES.map((name) => [name, mapSource(maps[name])] as const);
  for (const [name, source] of [...sources, [SESSIONS_MAP, sessionsSource(undefined)] as const]) {
    const path = `${HOST_PATHS.maps}/${name}`;
    const mode = name === SECRET_MAP ? "0600" : "0644";
    const script = `umask 077; cat >"$1"; chmod ${mode} "$1"; postmap lmdb:"$1"`;
    await host.run(["sh", "-ec", script, "sh", path], { input: source });
  }
}

async function allowRelay(host: Host): Promise<void> {
  const path = HOST_PATHS.policySocket;
  const script = `process.umask(0);
    require("node:net").createServer((client) => client.on("data", (request) => {
      if (String(request).endsWith("\\n\\n")) client.write("action=OK\\n\\n");
    })).listen("${path}");`;
  await host.run(["mkdir", "-p", "/run/mxhero-gateway"]);
  await host.write("/opt/allow-relay.cjs", script);
  const start = `node /opt/allow-relay.cjs >/dev/null 2>&1 & until [ -S ${path} ]; do sleep 0.05; done`;
  await host.run(["sh", "-c", start]);
}
