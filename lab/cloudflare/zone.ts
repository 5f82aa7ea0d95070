/** A zone at Cloudflare: its records, and changes to them in transactions. */
import { randomUUID } from "node:crypto";
import { z } from "zod";
import { normaliseText } from "./character-strings.ts";
import { recordType } from "./content.ts";
import {
  cnameExists,
  hostExists,
  identicalExists,
  invalidBody,
  noRecord,
  nsExists,
  readOnly,
  recordQuota,
  rrsetTooLong,
} from "./errors.ts";
import { nameInZone, normaliseName } from "./name.ts";
import {
  type DnsRecord,
  limits,
  makeRecord,
  type RecordBody,
  recordBody,
  toBody,
  toSpec,
} from "./record.ts";
import type { Edit, Plan, RecordSpec, ZoneSpec, ZoneStatus, ZoneType } from "./types.ts";

const identified = z.object({ id: z.string() });

/** The body of a batch. Single operations are batches of one. */
export const batchBody = z.object({
  deletes: z.array(identified).nullish(),
  patches: z.array(recordBody.partial().extend(identified.shape)).nullish(),
  puts: z.array(recordBody.extend(identified.shape)).nullish(),
  posts: z.array(recordBody).nullish(),
});

export type Batch = z.output<typeof batchBody>;

export interface Change {
  readonly before?: DnsRecord;
  readonly after?: DnsRecord;
}

/** What a transaction did, by kind of operation. */
export interface Applied {
  readonly deletes: readonly DnsRecord[];
  readonly patches: readonly DnsRecord[];
  readonly puts: readonly DnsRecord[];
  readonly posts: readonly DnsRecord[];
  /** In the order of the transaction. */
  readonly changes: readonly Change[];
}

export class Zone {
  readonly id = randomUUID().replaceAll("-", "");
  readonly name: string;
  readonly status: ZoneStatus;
  readonly type: ZoneType;
  readonly plan: Plan;
  readonly account: { readonly id: string; readonly name: string };
  readonly nameServers: readonly string[];
  readonly createdOn = new Date();
  #records: ReadonlyMap<string, DnsRecord> = new Map();

  constructor(spec: ZoneSpec, account: Zone["account"], nameServers: readonly string[]) {
    this.name = spec.name;
    this.status = spec.status ?? "active";
    this.type = spec.type ?? "full";
    this.plan = spec.plan ?? "free";
    this.account = account;
    this.nameServers = nameServers;
  }

  /** The lab's name servers answer for it. */
  get served(): boolean {
    return this.status === "active" && this.type === "full";
  }

  get records(): ReadonlyMap<string, DnsRecord> {
    return this.#records;
  }

  /** Deletes, patches, puts, posts, in that order; all of it or, at the first error, nothing. */
  apply(batch: Batch): Applied {
    const { deletes, patches, puts, posts } = withoutNull(batch);
    const { operations } = limits[this.plan];
    if (deletes.length + patches.length + puts.length + posts.length > operations) {
      throw invalidBody(`A batch may have ${operations} operations.`);
    }
    const draft = new Draft(this, this.#records);
    const applied = {
      deletes: deletes.map(({ id }) => draft.remove(draft.writable(id))),
      patches: patches.map((patch) => {
        const former = draft.writable(patch.id);
        const { name = former.name, type = former.type } = patch;
        return draft.replace(former, { ...toBody(former), ...patch, name, type });
      }),
      puts: puts.map((put) => draft.replace(draft.writable(put.id), put)),
      posts: posts.map((post) => draft.add(makeRecord(post, this))),
      changes: draft.changes,
    };
    if (posts.length > 0) draft.checkQuota();
    this.#records = draft.records;
    return applied;
  }

  /** Someone else's edit: also of records that are read-only for the API. */
  edit({ remove = [], add = [] }: Edit): readonly Change[] {
    const draft = new Draft(this, this.#records);
    for (const record of remove.flatMap((wanted) => this.#find(wanted))) draft.remove(record);
    for (const record of add) draft.add(this.#fromSpec(record));
    this.#records = draft.records;
    return draft.changes;
  }

  /** Replaces all records. */
  seed(records: readonly RecordSpec[]): readonly Change[] {
    const draft = new Draft(this, this.#records);
    for (const record of this.#records.values()) draft.remove(record);
    for (const record of records) draft.add(this.#fromSpec(record));
    this.#records = draft.records;
    return draft.changes;
  }

  /** Sorted, so that two snapshots can be compared. */
  snapshot(): RecordSpec[] {
    const keyed = [...this.#records.values()].map((record) => {
      const spec = toSpec(record);
      return { spec, key: sortKey(spec) };
    });
    return keyed.toSorted((a, b) => (a.key < b.key ? -1 : 1)).map(({ spec }) => spec);
  }

  #fromSpec(spec: RecordSpec): DnsRecord {
    const record = makeRecord({ ...spec, tags: [...(spec.tags ?? [])] }, this);
    return { ...record, readOnly: spec.readOnly ?? false };
  }

  #find({ name, type, content }: Pick<RecordSpec, "name" | "type" | "content">): DnsRecord[] {
    const full = nameInZone(name, this.name);
    const contents = [content, normaliseText(content), normaliseName(content)];
    const found = [...this.#records.values()].filter(
      (record) => record.name === full && record.type === type && contents.includes(record.content),
    );
    if (found.length === 0) throw new Error(`no record ${name} ${type} ${content} to remove`);
    return found;
  }
}

/** The records as a transaction sees them before it is committed. */
class Draft {
  readonly records: Map<string, DnsRecord>;
  readonly changes: Change[] = [];
  readonly #zone: Zone;

  constructor(zone: Zone, records: ReadonlyMap<string, DnsRecord>) {
    this.#zone = zone;
    this.records = new Map(records);
  }

  writable(id: string): DnsRecord {
    const record = this.records.get(id);
    if (record === undefined) throw noRecord();
    if (record.readOnly) throw readOnly();
    return record;
  }

  remove(record: DnsRecord): DnsRecord {
    this.records.delete(record.id);
    this.changes.push({ before: record });
    return record;
  }

  add(record: DnsRecord): DnsRecord {
    this.#checkNeighbours(record);
    this.records.set(record.id, record);
    this.changes.push({ after: record });
    return record;
  }

  replace(before: DnsRecord, body: RecordBody): DnsRecord {
    const after = makeRecord(body, this.#zone, before);
    this.#checkNeighbours(after);
    this.records.set(after.id, after);
    this.changes.push({ before, after });
    return after;
  }

  checkQuota(): void {
    if (this.records.size > limits[this.#zone.plan].records) throw recordQuota();
  }

  #checkNeighbours(record: DnsRecord): void {
    const { name, type } = record;
    const neighbours = [...this.records.values()].filter(
      (other) => other.name === name && other.id !== record.id,
    );
    checkTypes(type, new Set(neighbours.map((other) => other.type)), name === this.#zone.name);
    const rrset = neighbours.filter((other) => other.type === type);
    if (rrset.some((other) => sameValue(other, record))) throw identicalExists();
    const { size } = recordType(type);
    const total = [record, ...rrset].reduce((sum, { content }) => sum + size(content), 0);
    if (total > 8192) throw rrsetTooLong();
  }
}

/**
 * Which types may share a name. At the apex Cloudflare flattens a CNAME, so that only other
 * addresses exclude it, and NS records there delegate nothing.
 */
function checkTypes(type: string, others: ReadonlySet<string>, apex: boolean): void {
  const addresses = ["A", "AAAA", "CNAME"];
  const exclusive = !apex || addresses.includes(type);
  if (type === "CNAME" && (apex ? addresses.some((other) => others.has(other)) : others.size > 0)) {
    throw hostExists();
  }
  if (type !== "CNAME" && exclusive && others.has("CNAME")) throw cnameExists();
  if (apex) return;
  if (type !== "NS" && others.has("NS")) throw nsExists();
  if (type === "NS" && [...others].some((other) => other !== "NS")) throw hostExists();
}

function sameValue(a: DnsRecord, b: DnsRecord): boolean {
  return a.content === b.content && a.priority === b.priority;
}

function sortKey({ name, type, priority = 0, content }: RecordSpec): string {
  return [name, type, String(priority).padStart(5, "0"), content].join(" ");
}

function withoutNull({ deletes, patches, puts, posts }: Batch) {
  return {
    deletes: deletes ?? [],
    patches: patches ?? [],
    puts: puts ?? [],
    posts: posts ?? [],
  };
}
