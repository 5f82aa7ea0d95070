/**
 * The routes on the agent's disk, so that it goes on with them where the store is away.
 *
 * One JSON value a line: records, and how far the changes were read. Changes are appended, and the newest
 * line of a domain counts; now and then the file is written anew, beside the old one, and renamed.
 */
import { createReadStream } from "node:fs";
import { appendFile, open, rename } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { RouteRecord } from "../../mail/route.ts";

/** What one line says. */
type Line =
  | { readonly record: RouteRecord }
  | { readonly removed: string }
  | { readonly sequence: number };

/** What stood in the file, to be taken in as it is read. */
export interface SavedRoutes {
  onRecord(record: RouteRecord): void;
  onRemoved(domain: string): void;
}

/** Lines are written in pieces of this size. */
const PIECE_BYTES = 1024 * 1024;

export class RouteFile {
  readonly #path: string;
  #appended = 0;

  constructor(directory: string) {
    this.#path = join(directory, "routes.ndjson");
  }

  /** How many lines were appended since the file was written as a whole. */
  get appended(): number {
    return this.#appended;
  }

  /**
   * @returns how far the changes were read; `undefined` where there is no file, or not a whole one.
   *   A line that was cut off by a crash is left out.
   */
  async load(into: SavedRoutes): Promise<number | undefined> {
    let sequence: number | undefined;
    try {
      const input = createReadStream(this.#path, "utf8");
      for await (const text of createInterface({ input, crlfDelay: Infinity })) {
        const line = parseLine(text);
        if (line === undefined) continue;
        this.#appended += 1;
        if ("record" in line) into.onRecord(line.record);
        else if ("removed" in line) into.onRemoved(line.removed);
        else sequence = line.sequence;
      }
    } catch (error) {
      if (!isMissing(error)) throw error;
    }
    return sequence;
  }

  /** Writes the file anew. It is the old one or the new one at any time. */
  async save(records: Iterable<RouteRecord>, sequence: number): Promise<void> {
    const temporary = `${this.#path}.new`;
    const file = await open(temporary, "w", 0o600);
    try {
      for (const piece of pieces(records)) await file.write(piece);
      await file.write(`${JSON.stringify({ sequence })}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, this.#path);
    this.#appended = 0;
  }

  async append(records: readonly RouteRecord[], sequence: number): Promise<void> {
    const lines: Line[] = [...records.map((record) => ({ record })), { sequence }];
    // In front, an end for a line that a crash may have cut off.
    const text = `\n${lines.map((line) => JSON.stringify(line)).join("\n")}\n`;
    await appendFile(this.#path, text, { mode: 0o600 });
    this.#appended += lines.length;
  }

  async appendRemoval(domain: string): Promise<void> {
    await appendFile(this.#path, `\n${JSON.stringify({ removed: domain })}\n`, { mode: 0o600 });
    this.#appended += 1;
  }
}

function* pieces(records: Iterable<RouteRecord>): Generator<string> {
  let piece = "";
  for (const record of records) {
    piece += `${JSON.stringify({ record })}\n`;
    if (piece.length < PIECE_BYTES) continue;
    yield piece;
    piece = "";
  }
  yield piece;
}

/** Only this program writes the file, so a whole line is what it wrote. */
function parseLine(text: string): Line | undefined {
  try {
    return text === "" ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
