/**
 * The DNS of one lab world: a root and the TLDs, two authoritative servers for the tenants' zones,
 * and a recursive resolver that validates DNSSEC.
 *
 * Everything listens on 127.0.0.0/8 inside the network namespace that the caller runs in.
 */
import { join } from "node:path";
import { PowerDns, type RrSet } from "./dns-powerdns.ts";
import { RootServer, rootServerName, startOfAuthority } from "./dns-root.ts";
import { startUnbound } from "./dns-unbound.ts";
import { LabError } from "./program.ts";

export type { RrSet } from "./dns-powerdns.ts";
export { LabError } from "./program.ts";

export interface LabDnsOptions {
  /** The first two octets of the world's addresses, e.g. `127.3`. */
  readonly net: string;
  /** Takes configuration, databases and logs. Not shared with another world. */
  readonly directory: string;
  /** Longest time, in seconds, that the resolver keeps an answer. @default 0 */
  readonly cacheSeconds?: number;
}

/** An authoritative name server of the tenants' zones. */
export interface NameServer {
  /** E.g. `ns1.dns-host.test`. */
  readonly name: string;
  readonly address: string;
}

export interface AddZoneOptions {
  /**
   * The parent has a DS record, but the zone is not signed: the validating resolver answers
   * SERVFAIL, and remembers that for a minute. Only for a zone whose parent is a TLD, as nothing
   * else is signed.
   * @default false
   */
  readonly signedBroken?: boolean;
}

export interface PublishOptions {
  /** Indexes into `nameServers`. @default all */
  readonly servers?: readonly number[];
}

export interface LabDns extends AsyncDisposable {
  /** Address of the recursive, validating resolver (port 53). */
  readonly resolver: string;
  /** Address of the server of the root and the TLDs (port 53). */
  readonly rootServer: string;
  /** The authoritative servers of every zone made with `addZone`. */
  readonly nameServers: readonly NameServer[];
  /** Creates the zone on every name server, with SOA and NS, and delegates it from its parent zone. */
  addZone(name: string, options?: AddZoneOptions): Promise<void>;
  /** Removes the zone and its delegation. */
  removeZone(name: string): Promise<void>;
  /** Replaces or deletes RRsets; all of one call become visible at once on each server. */
  publish(zone: string, rrsets: readonly RrSet[], options?: PublishOptions): Promise<void>;
  /**
   * Gives a host outside the tenants' zones an address, e.g. `host("smtp-in.gateway.test", "127.3.1.1")`.
   * Called again for the same name, it adds one more address.
   */
  host(name: string, address: string): Promise<void>;
  /** A server that is down does not answer at all; when it is back it has all that was published. */
  setServerDown(index: number, down: boolean): Promise<void>;
}

/** Starts the world's DNS. Resolves when all servers answer. @throws {LabError} */
export async function startDns(options: LabDnsOptions): Promise<LabDns> {
  const { net, directory, cacheSeconds = 0 } = options;
  await using started = new AsyncDisposableStack();
  const start = async (name: string, address: string) =>
    started.use(await PowerDns.start(name, address, join(directory, name)));
  const starting = [
    start("root", `${net}.0.2`),
    start("ns1", `${net}.0.11`),
    start("ns2", `${net}.0.12`),
  ] as const;
  // Where one fails, the others must have started before they can be stopped.
  await Promise.allSettled(starting);
  const [rootServer, ...servers] = await Promise.all(starting);
  const root = await RootServer.create(rootServer);
  const unbound = await startUnbound({
    address: `${net}.0.1`,
    directory: join(directory, "resolver"),
    root: { name: rootServerName, address: rootServer.address },
    trustAnchor: await root.trustAnchor(),
    cacheSeconds,
  });
  started.use(unbound);
  const nameServers = servers.map(({ address }, index) => ({
    name: `ns${index + 1}.dns-host.test`,
    address,
  }));
  await Promise.all(nameServers.map(({ name, address }) => root.host(name, address)));
  const addresses = { resolver: `${net}.0.1`, rootServer: rootServer.address, nameServers };
  return new Dns(addresses, root, servers, started.move());
}

class Dns implements LabDns {
  readonly resolver: string;
  readonly rootServer: string;
  readonly nameServers: readonly NameServer[];
  readonly #root: RootServer;
  readonly #servers: readonly PowerDns[];
  readonly #zones = new Set<string>();
  readonly #programs: AsyncDisposableStack;

  constructor(
    addresses: Pick<LabDns, "resolver" | "rootServer" | "nameServers">,
    root: RootServer,
    servers: readonly PowerDns[],
    programs: AsyncDisposableStack,
  ) {
    this.resolver = addresses.resolver;
    this.rootServer = addresses.rootServer;
    this.nameServers = addresses.nameServers;
    this.#root = root;
    this.#servers = servers;
    this.#programs = programs;
  }

  async addZone(zone: string, options: AddZoneOptions = {}): Promise<void> {
    if (this.#zones.has(zone)) throw new LabError(`the zone ${zone} exists already`);
    const { signedBroken = false } = options;
    const names = this.nameServers.map(({ name }) => name);
    const apex: RrSet[] = [
      { name: zone, type: "SOA", ttl: 3600, records: [startOfAuthority(names[0] ?? zone)] },
      { name: zone, type: "NS", ttl: 86_400, records: names.map((name) => `${name}.`) },
    ];
    const parent = this.#zoneAbove(zone);
    if (parent !== undefined && signedBroken) {
      throw new LabError(`${zone} cannot be broken: its parent ${parent} is not signed`);
    }
    this.#zones.add(zone);
    await Promise.all(this.#servers.map((server) => server.createZone(zone, apex, false)));
    if (parent === undefined) await this.#root.delegate(zone, names, signedBroken);
    else await this.publish(parent, apex.slice(1));
  }

  async removeZone(zone: string): Promise<void> {
    this.#known(zone);
    const parent = this.#zoneAbove(zone);
    if (parent === undefined) await this.#root.undelegate(zone);
    else await this.publish(parent, [{ name: zone, type: "NS", ttl: 0, records: [] }]);
    await Promise.all(this.#servers.map((server) => server.deleteZone(zone)));
    this.#zones.delete(zone);
  }

  async publish(zone: string, rrsets: readonly RrSet[], options: PublishOptions = {}) {
    this.#known(zone);
    const indexes = options.servers ?? [...this.#servers.keys()];
    await Promise.all(indexes.map((index) => this.#server(index).publish(zone, rrsets)));
  }

  async host(name: string, address: string): Promise<void> {
    const zone = this.#zones.has(name) ? name : this.#zoneAbove(name);
    if (zone !== undefined) {
      throw new LabError(`${name} is in the zone ${zone}: publish the address there`);
    }
    await this.#root.host(name, address);
  }

  async setServerDown(index: number, down: boolean): Promise<void> {
    const server = this.#server(index);
    if (down) await server.pause();
    else await server.resume();
  }

  /** The closest zone of `addZone` that holds the name of another zone or host. */
  #zoneAbove(name: string): string | undefined {
    const labels = name.split(".");
    const parents = labels.map((_, index) => labels.slice(index).join(".")).slice(1);
    return parents.find((parent) => this.#zones.has(parent));
  }

  #known(zone: string): void {
    if (!this.#zones.has(zone)) throw new LabError(`no zone ${zone}: add it with addZone first`);
  }

  #server(index: number): PowerDns {
    const server = this.#servers[index];
    if (server === undefined) {
      throw new LabError(`no name server ${index}: there are ${this.#servers.length}`);
    }
    return server;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#programs[Symbol.asyncDispose]();
  }
}
