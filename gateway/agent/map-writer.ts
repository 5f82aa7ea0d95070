/**
 * Writes Postfix's maps in place, with `postmap`: readers see a change at once, and never half of a rebuild.
 *
 * Single changes go into the live file (milliseconds); all of it is rebuilt after a start, and where the
 * state of a file is not known.
 */
import { type FileHandle, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { RouteRecord } from "../../mail/route.ts";
import { run } from "./postfix-commands.ts";

/** One entry of one map. */
export interface MapEntry {
  readonly map: string;
  readonly key: string;
  readonly value: string;
}

/** Which maps there are, and what a record puts into them at an instant. */
export interface MapContent {
  /**
   * In the order in which they are written, so that what restricts is in place before what permits. Whether
   * a map holds secrets decides who may read its file.
   */
  readonly maps: readonly { readonly name: string; readonly isSecret: boolean }[];
  entriesOf(record: RouteRecord, now: Date): Iterable<MapEntry>;
}

/** A record that takes the place of another one, or of itself as it was before. */
export interface RecordChange {
  readonly former: RouteRecord | undefined;
  readonly next: RouteRecord | undefined;
}

export interface MapWriterOptions {
  /** Where the files lie. */
  readonly directory: string;
  /** The folder of an instance's configuration, for `postmap`. */
  readonly instance: string;
  readonly content: MapContent;
}

/** Others may read a file without secrets: Postfix's processes run as users of their own. */
const OPEN_MODE = 0o644;
/** Postfix opens it as root, before it gives up its rights. */
const SECRET_MODE = 0o600;

const PIECE_BYTES = 256 * 1024;

export class MapWriter {
  readonly #options: MapWriterOptions;
  /** The instant of which the files show the state; `undefined`: nobody knows what they hold. */
  #asOf: Date | undefined;

  constructor(options: MapWriterOptions) {
    this.#options = options;
  }

  /** Whether the files hold what was asked for. After a failure they may hold half of it. */
  get isCertain(): boolean {
    return this.#asOf !== undefined;
  }

  /** Writes all maps anew. @throws CommandError, and what the file system throws */
  async rebuild(records: Iterable<RouteRecord>, now: Date): Promise<void> {
    this.#asOf = undefined;
    const { directory, instance, content } = this.#options;
    const sources = new Map<string, Source>();
    try {
      for (const { name, isSecret } of content.maps) {
        const path = join(directory, name);
        sources.set(name, await Source.open(path, isSecret ? SECRET_MODE : OPEN_MODE));
      }
      let count = 0;
      for (const record of records) {
        for (const { map, key, value } of content.entriesOf(record, now)) {
          await sources.get(map)?.add(`${key}\t${value}\n`);
        }
        count += 1;
        // Policy requests are answered meanwhile.
        if (count % 500 === 0) await nextTurn();
      }
      for (const { path, close } of sources.values()) {
        await close();
        await run("postmap", ["-c", instance, `lmdb:${path}`]);
      }
    } finally {
      for (const source of sources.values()) await source.remove();
    }
    this.#asOf = now;
  }

  /**
   * Brings single records' entries up to date.
   *
   * @param now every record whose entries are others by now, without a change of its own, must be among them
   * @throws CommandError
   */
  async change(changes: readonly RecordChange[], now: Date): Promise<void> {
    const asOf = this.#asOf;
    if (asOf === undefined) throw new Error("The maps must be rebuilt first.");
    const former = this.#entries(changes, "former", asOf);
    const next = this.#entries(changes, "next", now);
    this.#asOf = undefined;
    for (const { name } of this.#options.content.maps) {
      await this.#write(name, former.get(name) ?? new Map(), next.get(name) ?? new Map());
    }
    this.#asOf = now;
  }

  #entries(
    changes: readonly RecordChange[],
    side: keyof RecordChange,
    at: Date,
  ): Map<string, Map<string, string>> {
    const maps = new Map<string, Map<string, string>>();
    for (const { [side]: record } of changes) {
      if (record === undefined) continue;
      for (const { map, key, value } of this.#options.content.entriesOf(record, at)) {
        const entries = maps.get(map) ?? new Map<string, string>();
        maps.set(map, entries.set(key, value));
      }
    }
    return maps;
  }

  /** Values that stay the same are written, too: they may have changed without their record, as passwords do. */
  async #write(
    name: string,
    former: ReadonlyMap<string, string>,
    next: ReadonlyMap<string, string>,
  ): Promise<void> {
    const { directory, instance } = this.#options;
    const path = `lmdb:${join(directory, name)}`;
    const gone = [...former.keys()].filter((key) => !next.has(key));
    if (next.size > 0) {
      const lines = [...next].map(([key, value]) => `${key}\t${value}\n`).join("");
      await run("postmap", ["-c", instance, "-r", "-i", path], lines);
    }
    if (gone.length > 0) {
      const lines = gone.map((key) => `${key}\n`).join("");
      await run("postmap", ["-c", instance, "-d", "-", path], lines);
    }
  }
}

/** The text from which `postmap` makes a map. */
class Source {
  readonly path: string;
  readonly #file: FileHandle;
  #piece = "";

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /** The map's file gets the mode of its source. */
  static async open(path: string, mode: number): Promise<Source> {
    await rm(path, { force: true });
    return new Source(path, await open(path, "wx", mode));
  }

  async add(line: string): Promise<void> {
    this.#piece += line;
    if (this.#piece.length >= PIECE_BYTES) await this.#flush();
  }

  readonly close = async (): Promise<void> => {
    await this.#flush();
    await this.#file.close();
  };

  /** Left behind, it would be older than the map after the next change, which Postfix warns of. */
  async remove(): Promise<void> {
    await this.#file.close().catch(() => undefined);
    await rm(this.path, { force: true });
  }

  async #flush(): Promise<void> {
    await this.#file.write(this.#piece);
    this.#piece = "";
  }
}
