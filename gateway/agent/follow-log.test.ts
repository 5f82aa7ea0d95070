import { appendFile, mkdtempDisposable, rename, rm, symlink, truncate } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { expect, test } from "vitest";
import { followLog } from "./follow-log.ts";

const until = { timeout: 10_000 };

test("every line is read once, over rotations, in pieces, and from a file that comes later", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "log-"));
  const path = join(directory.path, "mail.log");
  const lines: string[] = [];
  const ends: number[] = [];
  const stop = new AbortController();
  const options = {
    path,
    onLine: (line: string) => lines.push(line),
    onFault: () => undefined,
    onEnd: (instant: number) => ends.push(instant),
    pollMilliseconds: 5,
  };
  const following = followLog(options, stop.signal);
  // Nothing is there yet, and so all of it is read.
  await expect.poll(() => ends.length, until).toBeGreaterThan(1);
  const expected: string[] = [];
  const write = async (line: string) => {
    expected.push(line);
    const [head, tail] = [line.slice(0, 3), line.slice(3)];
    await appendFile(path, head);
    await appendFile(path, `${tail}\n`);
  };
  await write("first line");
  await expect.poll(() => lines, until).toEqual(expected);
  for (let rotation = 0; rotation < 5; rotation += 1) {
    await write(`old ${rotation} ü`);
    await rename(path, `${path}.${rotation}`);
    // Postfix writes on until it is told: into the old file.
    await appendFile(`${path}.${rotation}`, `late ${rotation}\n`);
    expected.push(`late ${rotation}`);
    await write(`new ${rotation}`);
    await expect.poll(() => lines, until).toEqual(expected);
  }
  // As logrotate's copytruncate does it.
  await truncate(path, 0);
  await delay(100);
  await write("x");
  await expect.poll(() => lines, until).toEqual(expected);
  const read = Date.now();
  await expect.poll(() => ends.at(-1), until).toBeGreaterThanOrEqual(read);
  stop.abort();
  await following;
});

test("a file that cannot be read is told, one that is not there is not", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "log-"));
  const path = join(directory.path, "mail.log");
  const faults: unknown[] = [];
  const lines: string[] = [];
  const ends: number[] = [];
  const stop = new AbortController();
  const options = {
    path,
    onLine: (line: string) => lines.push(line),
    onFault: (fault: unknown) => faults.push(fault),
    onEnd: (instant: number) => ends.push(instant),
    pollMilliseconds: 5,
  };
  const following = followLog(options, stop.signal);
  await delay(50);
  expect(faults).toEqual([]);
  // A link to itself: unreadable for root, too.
  await symlink(path, path);
  await expect.poll(() => faults[0], until).toMatchObject({ code: "ELOOP" });
  const { length } = ends;
  await expect.poll(() => faults.length, until).toBeGreaterThan(2);
  expect(ends).toHaveLength(length);
  await rm(path);
  await appendFile(path, "a line\n");
  await expect.poll(() => lines, until).toEqual(["a line"]);
  expect(faults.at(-1)).toBeUndefined();
  stop.abort();
  await following;
});
