import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Mail } from "../sender.ts";
import type { Journey } from "../world.ts";
import { MailStream } from "./mail-stream.ts";

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

async function send({ to }: Mail): Promise<Journey> {
  return { id: to, outcome: "delivered", reason: "250 OK", attempts: [], path: [to] };
}

test("sends to one domain after the other, and gives every message back once", async () => {
  const stream = new MailStream({ send, domains: ["a.test", "b.test"], interval: 200 });
  await vi.advanceTimersByTimeAsync(600);
  const first = await stream.take();
  expect(first.map(({ domain }) => domain)).toEqual(["a.test", "b.test", "a.test"]);
  expect(first.map(({ journey }) => journey.id)).toContain("postmaster@b.test");

  await vi.advanceTimersByTimeAsync(200);
  stream[Symbol.dispose]();
  await vi.advanceTimersByTimeAsync(1000);
  expect((await stream.take()).map(({ domain }) => domain)).toEqual(["b.test"]);
});
