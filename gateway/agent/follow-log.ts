/** Follows a growing log file line by line, over its rotation: the old file to its end, then the new one. */
import { type FileHandle, open, stat } from "node:fs/promises";
import { StringDecoder } from "node:string_decoder";
import { setTimeout as delay } from "node:timers/promises";

export interface FollowOptions {
  readonly path: string;
  readonly onLine: (line: string) => void;
  /** Told why the file cannot be read, unless it is only not there yet; `undefined`: it is read again. */
  readonly onFault: (fault: unknown) => void;
  /** Told when all is read that was there at this instant, in milliseconds. */
  readonly onEnd?: (instant: number) => void;
  /** @default 1,000 */
  readonly pollMilliseconds?: number;
}

/** So much of what is there at the start is read, too: messages whose beginning was logged before. */
const BACKLOG_BYTES = 4 * 1024 * 1024;
const PIECE_BYTES = 64 * 1024;

/** Runs until the signal is given. A file that is not there yet is waited for. */
export async function followLog(options: FollowOptions, signal: AbortSignal): Promise<void> {
  let follower: Follower | undefined;
  let isFirst = true;
  while (!signal.aborted) {
    const instant = Date.now();
    const found = await look(options);
    if (follower !== undefined) {
      await follower.readOn();
      const isReplaced = found.stats !== undefined && found.stats.ino !== follower.inode;
      if (isReplaced || (await follower.isCut())) {
        await follower.close();
        follower = undefined;
        // At once: the new file may have been written to for a while.
        continue;
      }
    } else if (found.stats !== undefined) {
      const start = isFirst ? Math.max(0, found.stats.size - BACKLOG_BYTES) : 0;
      follower = await unlessFault(Follower.open(options, start), options);
      if (follower !== undefined) options.onFault(undefined);
      await follower?.readOn();
    }
    if (follower !== undefined || found.isMissing) options.onEnd?.(instant);
    isFirst = false;
    await delay(options.pollMilliseconds ?? 1_000, undefined, { signal }).catch(() => undefined);
  }
  await follower?.close();
}

/** What is there; a file that is missing has nothing in it. */
async function look(options: FollowOptions) {
  try {
    return { stats: await stat(options.path), isMissing: false };
  } catch (error) {
    return { stats: undefined, isMissing: !tellUnlessMissing(error, options) };
  }
}

async function unlessFault<T>(work: Promise<T>, options: FollowOptions): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    tellUnlessMissing(error, options);
    return undefined;
  }
}

/** @returns whether it was told */
function tellUnlessMissing(error: unknown, { onFault }: FollowOptions): boolean {
  const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
  if (!isMissing) onFault(error);
  return !isMissing;
}

class Follower {
  readonly inode: number;
  #position: number;
  readonly #file: FileHandle;
  readonly #onLine: (line: string) => void;
  readonly #decoder = new StringDecoder("utf8");
  readonly #piece = Buffer.alloc(PIECE_BYTES);
  #rest = "";

  private constructor(file: FileHandle, inode: number, start: number, options: FollowOptions) {
    this.#file = file;
    this.inode = inode;
    this.#position = start;
    this.#onLine = options.onLine;
  }

  static async open(options: FollowOptions, start: number): Promise<Follower> {
    const file = await open(options.path, "r");
    return new Follower(file, (await file.stat()).ino, start, options);
  }

  async readOn(): Promise<void> {
    for (;;) {
      const { bytesRead } = await this.#file.read(this.#piece, 0, PIECE_BYTES, this.#position);
      if (bytesRead === 0) return;
      this.#position += bytesRead;
      const lines = (this.#rest + this.#decoder.write(this.#piece.subarray(0, bytesRead))).split(
        "\n",
      );
      this.#rest = lines.pop() ?? "";
      for (const line of lines) this.#onLine(line);
    }
  }

  /** Whether the file is shorter than what was read of it. */
  async isCut(): Promise<boolean> {
    return (await this.#file.stat()).size < this.#position;
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
