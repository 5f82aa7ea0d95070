/** Brings committed records to the lab's name servers: at once, or late and piece by piece. */
import { setTimeout as sleep } from "node:timers/promises";
import type { LabDns, RrSet } from "../dns.ts";
import { recordType } from "./content.ts";
import type { DnsRecord } from "./record.ts";
import type { Change, Zone } from "./zone.ts";

export interface Disturbance {
  /** Milliseconds between one change of a transaction and the next; all at once without. */
  readonly piecemeal?: number | undefined;
  /** By server: milliseconds until the change reaches it. */
  readonly lag: ReadonlyMap<number, number>;
}

/** RRsets that become visible together, some time after those before them. */
interface Step {
  readonly wait: number;
  readonly rrsets: readonly RrSet[];
}

/** What is still to be published on one server. */
interface Queue {
  tail: Promise<void>;
  /** How many of them are held up. */
  held: number;
}

/** Each server gets every change in order, so a late one also holds up what follows it. */
export class Propagation {
  readonly #dns: LabDns;
  readonly #queues: Queue[];
  #failure: unknown;

  constructor(dns: LabDns) {
    this.#dns = dns;
    this.#queues = dns.nameServers.map(() => ({ tail: Promise.resolve(), held: 0 }));
  }

  /** Resolves when every server has the changes that is not held up. */
  async publish(
    zone: Zone,
    before: ReadonlyMap<string, DnsRecord>,
    changes: readonly Change[],
    { piecemeal, lag }: Disturbance,
  ): Promise<void> {
    if (!zone.served || changes.length === 0) return;
    const steps =
      piecemeal === undefined
        ? [{ wait: 0, rrsets: rrsetsAfter(zone, zone.records, changes) }]
        : oneByOne(zone, before, changes, piecemeal);
    const published = this.#queues.map(async (queue, server) => {
      const lagging = lag.get(server) ?? 0;
      const held = lagging > 0 || steps.length > 1;
      const late = held || queue.held > 0;
      if (held) queue.held += 1;
      const done = this.#enqueue(queue, zone, server, lagging, steps).finally(() => {
        if (held) queue.held -= 1;
      });
      if (late) this.#inBackground(done);
      else await done;
    });
    await Promise.all(published);
  }

  /** Resolves when nothing is held up any more. @throws what went wrong in the background */
  async settled(): Promise<void> {
    await Promise.all(this.#queues.map(({ tail }) => tail));
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  async #enqueue(
    queue: Queue,
    zone: Zone,
    server: number,
    lag: number,
    steps: readonly Step[],
  ): Promise<void> {
    const done = queue.tail.then(async () => {
      if (lag > 0) await sleep(lag);
      for (const { wait, rrsets } of steps) {
        if (wait > 0) await sleep(wait);
        await this.#dns.publish(zone.name, rrsets, { servers: [server] });
      }
    });
    queue.tail = done.catch(() => undefined);
    await done;
  }

  #inBackground(done: Promise<void>): void {
    done.catch((error: unknown) => {
      this.#failure ??= error;
    });
  }
}

/** One step for each change, in the order of the transaction. */
function oneByOne(
  zone: Zone,
  before: ReadonlyMap<string, DnsRecord>,
  changes: readonly Change[],
  wait: number,
): Step[] {
  const records = new Map(before);
  return changes.map((change, index) => {
    if (change.before) records.delete(change.before.id);
    if (change.after) records.set(change.after.id, change.after);
    return { wait: index === 0 ? 0 : wait, rrsets: rrsetsAfter(zone, records, [change]) };
  });
}

/** The RRsets that the changes touch, as they are afterwards. */
function rrsetsAfter(
  zone: Zone,
  records: ReadonlyMap<string, DnsRecord>,
  changes: readonly Change[],
): RrSet[] {
  const touched = new Map(
    changes
      .flatMap(({ before, after }) => [before, after])
      .flatMap((record) => record ?? [])
      .filter((record) => isServed(record, zone))
      .map(({ name, type }) => [`${name} ${type}`, { name, type }]),
  );
  return [...touched.values()].map(({ name, type }) => {
    const members = [...records.values()].filter(
      (record) => record.name === name && record.type === type,
    );
    return {
      name,
      type,
      ttl: Math.min(...members.map(({ ttl }) => (ttl === 1 ? 300 : ttl)), 86_400),
      records: members.map((record) => recordType(type).present(record)),
    };
  });
}

/**
 * Cloudflare answers its own NS at the apex, and addresses in place of a CNAME there. The lab has
 * nothing that looks such addresses up, so an apex CNAME is not visible in DNS.
 */
function isServed({ name, type }: DnsRecord, zone: Zone): boolean {
  return name !== zone.name || (type !== "NS" && type !== "CNAME");
}
