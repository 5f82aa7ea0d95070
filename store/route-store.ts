/**
 * The route store of one fleet: a DynamoDB table, and the secrets beside it.
 *
 * The provider writes routes; the agents on the gateway's hosts read them and answer. What stands where in
 * the table: item.ts, holdings.ts.
 */
import { randomInt } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { MailRuleError } from "../mail/errors.ts";
import type { RouteRecord, SlotAnswer, SlotReport } from "../mail/route.ts";
import type { RouteContent } from "../mail/route-changes.ts";
import { recordEnd } from "../mail/route-life.ts";
import { RouteConflict, StoreError } from "./errors.ts";
import {
  type Block,
  blockKeys,
  decodeBlock,
  encodeBlock,
  holdersKey,
  holdingFaults,
  IDENTITIES,
  isLive,
  moveHoldings,
} from "./holdings.ts";
import {
  answerKey,
  closingKey,
  decodeAnswer,
  decodeClosing,
  decodePublished,
  decodeReport,
  decodeRoute,
  decodeSlot,
  droppedAnswerFields,
  encodeAnswerFields,
  encodeClosing,
  encodePublished,
  encodeReport,
  encodeRoute,
  encodeSlot,
  expiry,
  type FoundItem,
  isAt,
  numberOf,
  publishedKey,
  type RegisteredSlot,
  routeKey,
  SEQUENCE_KEY,
  sequenceItem,
  slotKey,
  textOf,
} from "./item.ts";
import { merge } from "./merge.ts";
import { domainTraces, holdingTraces, type StoreTrace } from "./residue.ts";
import { relayFolder, SecretStore, type SecretStoreOptions } from "./secrets.ts";
import { Table } from "./table.ts";

export { RouteConflict, StoreError, type StoreFailure } from "./errors.ts";
export type { RegisteredSlot } from "./item.ts";
export type { StoreTrace } from "./residue.ts";

/** Which fleet's store, and how it is reached. Credentials: the AWS SDK's usual places. */
export interface RouteStoreOptions extends SecretStoreOptions {
  /** The name of the table. */
  readonly table: string;
  /**
   * Told of a route that this release cannot read, which `changesSince` and `allRoutes` then leave out.
   * @default they throw
   */
  readonly onUnreadable?: (domain: string) => void;
}

/** What the table says of one domain. */
export interface DomainView {
  readonly record?: RouteRecord;
  readonly answers: readonly SlotAnswer[];
}

/** Routes that were written after another one. */
export interface RouteChanges {
  /** Oldest first. */
  readonly records: readonly RouteRecord[];
  /** Where to go on from. */
  readonly sequence: number;
}

/** All routes, and from where changes of them are to be asked for. */
export interface AllRoutes {
  /** Every write up to this one is in the pages. Later ones may be, too. */
  readonly sequence: number;
  readonly pages: AsyncIterable<readonly RouteRecord[]>;
}

/** Every route counts on one number, so writers of other domains meet there; each has its turn soon. */
const ATTEMPTS = 40;
const LONGEST_PAUSE_MILLISECONDS = 400;

/** How many parts of the table are read at once. */
const SEGMENTS = 8;

export class RouteStore implements Disposable {
  readonly #table: Table;
  readonly #secrets: SecretStore;
  readonly #onUnreadable: ((domain: string) => void) | undefined;
  /** Writes of one process wait for each other here, instead of failing at each other there. */
  #lastWrite: Promise<unknown> = Promise.resolve();

  constructor(options: RouteStoreOptions) {
    this.#table = new Table(options.table, options);
    this.#secrets = new SecretStore(options);
    this.#onUnreadable = options.onUnreadable;
  }

  [Symbol.dispose](): void {
    this.#table.close();
    this.#secrets.close();
  }

  async readDomain(domain: string): Promise<DomainView> {
    const items = await this.#table.partition(domain);
    const route = items.find((item) => isAt(item, routeKey(domain)));
    const answers = items.filter((item) => textOf(item, "sk").startsWith("slot#"));
    return {
      ...(route && { record: decodeRoute(route).record }),
      answers: answers.map(decodeAnswer),
    };
  }

  /**
   * Whether the route could be written, as far as others' names and identities are concerned.
   *
   * @throws {MailRuleError} the first reason why not; its code is one of `route-claim.ts`
   */
  async checkRoute(next: RouteContent): Promise<void> {
    refuseHeld(next, await this.#readStanding(next));
  }

  /**
   * Writes a route, in one transaction with all that it was decided on.
   *
   * @param read the revision that the caller has seen; `undefined`: there was no record
   * @throws {RouteConflict} if the record is another one by now
   * @throws {MailRuleError} if another organisation holds the domain, one above or below it, or a sending
   *   identity that overlaps
   */
  async writeRoute(next: RouteContent, read: number | undefined): Promise<RouteRecord> {
    const writing = this.#lastWrite.then(() => this.#write(next, read ?? 0));
    this.#lastWrite = writing.catch(() => undefined);
    return writing;
  }

  async #write(next: RouteContent, read: number): Promise<RouteRecord> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const standing = await this.#readStanding(next);
      if ((standing.record?.revision ?? 0) !== read) throw conflict(next.domain, standing.record);
      refuseHeld(next, standing);
      const record = read === 0 ? firstRecord(next, standing) : { ...next, revision: read + 1 };
      if (await this.#table.transact(writesOf(record, read, standing))) return record;
      await sleep(randomInt(Math.min(LONGEST_PAUSE_MILLISECONDS, 2 ** attempt * 10)));
    }
    throw new StoreError(
      `${next.domain}: so many others write into the route table that ${ATTEMPTS} attempts failed.`,
      "unavailable",
    );
  }

  /** All that a write of this route touches, as it is now. */
  async #readStanding(next: RouteContent): Promise<Standing> {
    const keys = [routeKey(next.domain), SEQUENCE_KEY, ...blockKeys(next)];
    const items = await this.#table.get(keys);
    const found = items.find((item) => isAt(item, routeKey(next.domain)));
    const record = found && decodeRoute(found).record;
    const former = (record === undefined ? [] : blockKeys(record)).filter(
      (key) => !keys.some((other) => isAt(other, key)),
    );
    const all = [...items, ...(await this.#table.get(former))];
    const sequence = all.find((item) => isAt(item, SEQUENCE_KEY));
    return {
      record,
      sequence: sequence === undefined ? 0 : numberOf(sequence, "sequence"),
      blocks: [...blockKeys(next), ...former].map((key) => decodeBlock(key, all)),
    };
  }

  /** Routes that were written after this one. The index may show a write late: ask again for the last seconds. */
  async changesSince(sequence: number): Promise<RouteChanges> {
    const items = await this.#table.changesAfter(sequence);
    const last = items.at(-1);
    return {
      records: this.#decode(items),
      sequence: last === undefined ? sequence : numberOf(last, "sequence"),
    };
  }

  /** @param segments how many parts of the table are read at once. @default 8 */
  async allRoutes(segments = SEGMENTS): Promise<AllRoutes> {
    // Read first: what is written meanwhile comes with the changes.
    const [found] = await this.#table.get([SEQUENCE_KEY]);
    const sequence = found === undefined ? 0 : numberOf(found, "sequence");
    return { sequence, pages: this.#pages(segments) };
  }

  async *#pages(segments: number): AsyncGenerator<readonly RouteRecord[]> {
    const parts = Array.from({ length: segments }, (_, index) =>
      this.#table.routesOfSegment(index, segments),
    );
    for await (const items of merge(parts)) yield this.#decode(items);
  }

  #decode(items: readonly FoundItem[]): RouteRecord[] {
    return items.flatMap((item) => {
      try {
        return decodeRoute(item).record;
      } catch (error) {
        if (this.#onUnreadable === undefined) throw error;
        this.#onUnreadable(textOf(item, "pk"));
        return [];
      }
    });
  }

  async slots(): Promise<readonly RegisteredSlot[]> {
    return (await this.#table.partition("#slots")).map(decodeSlot);
  }

  async registerSlot(slot: RegisteredSlot): Promise<void> {
    await this.#table.put(encodeSlot(slot));
  }

  /** Nothing happens where it is not registered. */
  async removeSlot(slot: string): Promise<void> {
    await this.#table.delete(slotKey(slot));
  }

  /**
   * Tells a slot to take no more mail. What it does about it stands in its reports.
   *
   * @returns the mark: that of before where it was told already
   */
  async closeSlot(slot: string): Promise<string> {
    const former = await this.closingMark(slot);
    if (former !== undefined) return former;
    const mark = new Date().toISOString();
    await this.#table.put(encodeClosing(slot, mark));
    return mark;
  }

  /** Tells a slot to take mail. Nothing happens where it was not told otherwise. */
  async openSlot(slot: string): Promise<void> {
    await this.#table.delete(closingKey(slot));
  }

  /** The mark by which the slot is told to take no more mail; `undefined`: it is to take mail. */
  async closingMark(slot: string): Promise<string | undefined> {
    const [found] = await this.#table.get([closingKey(slot)]);
    return found && decodeClosing(found);
  }

  /** Marks that the slot's records are in DNS. */
  async markPublished(slot: string): Promise<void> {
    await this.#table.put(encodePublished(slot));
  }

  /** The slot's records are about to leave DNS. Nothing happens where it was not marked. */
  async unmarkPublished(slot: string): Promise<void> {
    await this.#table.delete(publishedKey(slot));
  }

  /** The slots whose records are in DNS. */
  async publishedSlots(): Promise<readonly string[]> {
    return (await this.#table.partition("#published")).map(decodePublished);
  }

  async reports(): Promise<readonly SlotReport[]> {
    return (await this.#table.partition("#reports")).map(decodeReport);
  }

  async putReport(report: SlotReport): Promise<void> {
    await this.#table.put(encodeReport(report));
  }

  /** What the answer does not say stays as it was. */
  async putAnswer(answer: SlotAnswer): Promise<void> {
    const fields = encodeAnswerFields(answer);
    if (Object.keys(fields).length === 0) return;
    const key = answerKey(answer.domain, answer.slot);
    await this.#table.set(key, fields, droppedAnswerFields(answer));
  }

  /**
   * Lets what slots have answered of a route that was given up end with it. A slot that runs says so itself, but
   * there may be answers of slots that are dead or gone.
   */
  async endAnswers(record: RouteRecord): Promise<void> {
    const end = recordEnd(record);
    if (end === undefined) return;
    const { answers } = await this.readDomain(record.domain);
    for (const { domain, slot } of answers) {
      await this.#table.setUpTo(
        answerKey(domain, slot),
        expiry(end),
        "acknowledged",
        record.revision,
      );
    }
  }

  putSecret(name: string, value: string, expires?: string): Promise<void> {
    return this.#secrets.put(name, value, expires);
  }

  /** `undefined`: there is none. */
  readSecret(name: string): Promise<string | undefined> {
    return this.#secrets.read(name);
  }

  /**
   * Everything in the store that mentions a domain, and what its organisation holds there as sending identities.
   *
   * @param organisation @default whoever holds the domain
   */
  async traces(domain: string, organisation?: string): Promise<readonly StoreTrace[]> {
    const [own, names, identities, secrets] = await Promise.all([
      this.#table.partition(domain),
      this.#table.get([holdersKey(domain)]),
      this.#table.partition(IDENTITIES),
      this.#secrets.describe(relayFolder(domain)),
    ]);
    const route = own.find((item) => isAt(item, routeKey(domain)));
    const holder = organisation ?? (route && decodeRoute(route).record.holder.organisation);
    return [
      ...domainTraces(own),
      ...holdingTraces(names, (name) => name === domain),
      ...holdingTraces(identities, (_, other) => other === holder),
      ...secrets.map(({ name, expires }) => ({ text: `the password ${name}`, ends: expires })),
    ];
  }

  /** The names of the secrets below a folder, in no order. */
  secretNames(folder: string): Promise<readonly string[]> {
    return this.#secrets.list(folder);
  }

  /** Nothing happens where there is none. */
  deleteSecret(name: string): Promise<void> {
    return this.#secrets.delete(name);
  }
}

/** What a write is decided on. */
interface Standing {
  readonly record: RouteRecord | undefined;
  readonly sequence: number;
  readonly blocks: readonly Block[];
}

/**
 * A domain may have had a record that was deleted at its end, and slots may still have what they knew of it. So a
 * first revision is above all that there ever were: the sequence counts every write and is never deleted.
 */
function firstRecord(next: RouteContent, { sequence }: Standing): RouteRecord {
  const revision = sequence + 1;
  const { proposed } = next;
  return { ...next, ...(proposed && { proposed: { ...proposed, version: revision } }), revision };
}

function writesOf(next: RouteRecord, read: number, { record, sequence, blocks }: Standing) {
  const now = new Date();
  const moved = blocks.map((block) => moveHoldings(block, record, next, now));
  return [
    { item: encodeRoute(next, sequence + 1), guard: "revision", read },
    { item: sequenceItem(sequence + 1), guard: "sequence", read: sequence },
    ...moved.map((block) => ({
      item: encodeBlock(block, now),
      guard: "revision",
      read: block.revision - 1,
    })),
  ];
}

function refuseHeld(next: RouteContent, { record, blocks }: Standing): void {
  // Who gives up takes nothing that another one could hold: also where the organisation has another name by now.
  if (!isLive(next)) return;
  const { organisation, claims } = next.holder;
  // A claim that stays proves that it is the same organisation under another name.
  const isSame = record?.holder.claims.some((claim) => claims.includes(claim)) === true;
  const names = isSame ? [organisation, record.holder.organisation] : [organisation];
  const [fault] = holdingFaults(next, names, blocks, new Date());
  if (fault !== undefined) throw new MailRuleError(fault);
}

function conflict(domain: string, record: RouteRecord | undefined): RouteConflict {
  const found = record === undefined ? "it is not there" : `it is at revision ${record.revision}`;
  return new RouteConflict(`The route of ${domain} was written by someone else: ${found}.`);
}
