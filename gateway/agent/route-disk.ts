/** The routes of the table on the disk: kept as they change. A disk that takes nothing holds up no route. */
import type { RouteRecord } from "../../mail/route.ts";
import { errorText, type Faults } from "./faults.ts";
import type { RouteFile } from "./route-file.ts";
import type { RouteTable } from "./route-table.ts";

export class RouteDisk {
  readonly #file: RouteFile;
  readonly #table: RouteTable;
  readonly #faults: Faults;
  /** Whether the file has all records up to its sequence, so that a change may be appended. */
  #isWhole = false;

  constructor(file: RouteFile, table: RouteTable, faults: Faults) {
    this.#file = file;
    this.#table = table;
    this.#faults = faults;
  }

  /** Whether writing it anew would make it much smaller. */
  get isOvergrown(): boolean {
    return this.#file.appended > this.#table.size / 2;
  }

  /** Takes into the table what lies on the disk. @returns as `RouteFile.load` */
  async load(): Promise<number | undefined> {
    const now = new Date();
    const sequence = await this.#file.load({
      onRecord: (record) => this.#table.put(record, now),
      onRemoved: (domain) => this.#table.remove(domain),
    });
    this.#isWhole = sequence !== undefined;
    return sequence;
  }

  /** Keeps these records, which are in the table. @param sequence how far the changes were read */
  async keep(records: readonly RouteRecord[], sequence: number): Promise<void> {
    if (records.length === 0) return;
    if (!this.#isWhole) await this.save(sequence);
    else this.#isWhole = await this.take(() => this.#file.append(records, sequence));
  }

  /** Keeps all of the table. */
  async save(sequence: number): Promise<void> {
    this.#isWhole = await this.take(() => this.#file.save(this.#table.records(), sequence));
  }

  /** Keeps that there is no such route any more. */
  async drop(domain: string): Promise<void> {
    if (this.#isWhole) this.#isWhole = await this.take(() => this.#file.appendRemoval(domain));
  }

  /** @returns whether the disk took what is written */
  async take(write: () => Promise<void>): Promise<boolean> {
    try {
      await write();
      this.#faults.clear("disk");
      return true;
    } catch (error) {
      this.#faults.set("disk", `the routes could not be kept: ${errorText(error)}`);
      return false;
    }
  }
}
