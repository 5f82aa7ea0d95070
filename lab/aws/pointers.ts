/** PTR records of Elastic IPs, which the emulator does not have: published in the world as the API has the names. */
import type { LabDns, RrSet } from "../dns.ts";
import type { MachineApi } from "./machines.ts";
import { ADDRESS_TAGS, tagValue } from "./provider/tags.ts";

export class Pointers {
  readonly #dns: LabDns;
  readonly #zone: string;
  readonly #published = new Map<string, string>();

  private constructor(dns: LabDns, zone: string) {
    this.#dns = dns;
    this.#zone = zone;
  }

  /** @param net the first two octets of the world's addresses */
  static async create(dns: LabDns, net: string): Promise<Pointers> {
    const zone = reverseName(net);
    await dns.addZone(zone);
    return new Pointers(dns, zone);
  }

  /** Publishes what has changed since the last time. */
  async update(api: MachineApi): Promise<void> {
    const wanted = new Map<string, string>();
    for (const { PublicIp = "", Tags } of await api.addresses()) {
      const name = tagValue(Tags, ADDRESS_TAGS.domainName);
      if (name !== undefined) wanted.set(PublicIp, name);
    }
    const gone = [...this.#published.keys()].filter((address) => !wanted.has(address));
    const changed = [...wanted].filter(([address, name]) => this.#published.get(address) !== name);
    const rrsets = [
      ...gone.map((address) => pointer(address, [])),
      ...changed.map(([address, name]) => pointer(address, [`${name}.`])),
    ];
    if (rrsets.length === 0) return;
    await this.#dns.publish(this.#zone, rrsets);
    for (const address of gone) this.#published.delete(address);
    for (const [address, name] of changed) this.#published.set(address, name);
  }
}

function pointer(address: string, records: readonly string[]): RrSet {
  return { name: reverseName(address), type: "PTR", ttl: 60, records };
}

function reverseName(address: string): string {
  return `${address.split(".").toReversed().join(".")}.in-addr.arpa`;
}
