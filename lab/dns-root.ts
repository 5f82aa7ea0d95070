/** The root and the top-level domains of a lab world: signed zones on one server, made on demand. */
import type { PowerDns } from "./dns-powerdns.ts";

export const rootServerName = "a.root-servers.test";

/** DS data of a key that nobody has (RFC 4034 section 5.1). */
const brokenSigner = `12345 13 2 ${"0123456789abcdef".repeat(4)}`;

/** SOA data; the last field is how long resolvers may keep "does not exist". */
export const startOfAuthority = (server: string) =>
  `${server}. hostmaster.${server}. 1 10000 2400 604800 1800`;

export class RootServer {
  readonly #server: PowerDns;
  readonly #hosts = new Map<string, string[]>();
  readonly #topLevel = new Map<string, Promise<void>>();

  private constructor(server: PowerDns) {
    this.#server = server;
  }

  static async create(server: PowerDns): Promise<RootServer> {
    const root = new RootServer(server);
    await root.#createZone(".");
    await root.host(rootServerName, server.address);
    await server.publish(".", [
      { name: rootServerName, type: "A", ttl: 86_400, records: [server.address] },
    ]);
    return root;
  }

  /** DS record data of the root: the trust anchor. */
  trustAnchor(): Promise<string> {
    return this.#server.delegationSigner(".");
  }

  /** Adds an address to a name directly in its top-level zone. */
  async host(name: string, address: string): Promise<void> {
    const zone = await this.#topLevelZone(name);
    const addresses = this.#hosts.get(name) ?? [];
    addresses.push(address);
    this.#hosts.set(name, addresses);
    await this.#server.publish(zone, [{ name, type: "A", ttl: 300, records: addresses }]);
  }

  /** Points a zone at its name servers. */
  async delegate(zone: string, nameServers: readonly string[], broken: boolean): Promise<void> {
    await this.#server.publish(await this.#topLevelZone(zone), [
      { name: zone, type: "NS", ttl: 86_400, records: nameServers.map((name) => `${name}.`) },
      { name: zone, type: "DS", ttl: 86_400, records: broken ? [brokenSigner] : [] },
    ]);
  }

  async undelegate(zone: string): Promise<void> {
    await this.delegate(zone, [], false);
  }

  async #topLevelZone(name: string): Promise<string> {
    const zone = name.slice(name.lastIndexOf(".") + 1);
    let created = this.#topLevel.get(zone);
    if (created === undefined) {
      created = this.#createTopLevelZone(zone);
      this.#topLevel.set(zone, created);
    }
    await created;
    return zone;
  }

  async #createTopLevelZone(zone: string): Promise<void> {
    await this.#createZone(zone);
    const signer = await this.#server.delegationSigner(zone);
    await this.#server.publish(".", [
      { name: zone, type: "NS", ttl: 86_400, records: [`${rootServerName}.`] },
      { name: zone, type: "DS", ttl: 86_400, records: [signer] },
    ]);
  }

  async #createZone(zone: string): Promise<void> {
    const apex = [
      { name: zone, type: "SOA", ttl: 3600, records: [startOfAuthority(rootServerName)] },
      { name: zone, type: "NS", ttl: 86_400, records: [`${rootServerName}.`] },
    ];
    await this.#server.createZone(zone, apex, true);
  }
}
