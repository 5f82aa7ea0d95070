import { expect, test } from "vitest";
import type { DomainAnswer } from "./answers.ts";
import { OutboundQueue } from "./outbound-queue.ts";

const START = Date.parse("2026-11-26T12:00:00Z");

function watch() {
  const told: [DomainAnswer, number][] = [];
  const queue = new OutboundQueue(
    (answer, instant) => told.push([answer, instant]),
    (domain) => domain !== "unknown.test",
  );
  const see = (second: number, senders: Readonly<Record<string, number>>) => {
    const oldest = START / 1000 - 600;
    const entries = Object.entries(senders).map(
      ([domain, messages]) => [domain, { messages, oldest }] as const,
    );
    queue.see(new Map(entries), START + second * 1000);
    return told.splice(0).map(([{ domain, queuedOutbound }, instant]) => {
      expect(instant).toBe(START + second * 1000);
      return [domain, queuedOutbound?.messages, queuedOutbound?.since];
    });
  };
  return { queue, see };
}

test("a domain with mail in the queue is told once a minute, and that there is none any more after two looks", () => {
  const { queue, see } = watch();
  expect(queue.lookedAt).toBe(0);
  const since = "2026-11-26T11:50:00.000Z";
  expect(see(0, { "a.test": 2, "unknown.test": 5 })).toEqual([["a.test", 2, since]]);
  expect(see(5, { "a.test": 3, "b.test": 1 })).toEqual([["b.test", 1, since]]);
  expect(see(60, { "a.test": 3, "b.test": 1 })).toEqual([["a.test", 3, since]]);
  expect(see(65, { "b.test": 1 })).toEqual([["b.test", 1, since]]);
  expect(see(70, { "b.test": 1 })).toEqual([["a.test", 0, "2026-11-26T12:01:10.000Z"]]);
  expect(see(75, { "b.test": 1 })).toEqual([]);
  expect(queue.lookedAt).toBe(START + 75_000);
});

test("a message that one look missed, since Postfix moved it meanwhile, is not taken for gone", () => {
  const { see } = watch();
  const since = "2026-11-26T11:50:00.000Z";
  expect(see(0, { "a.test": 1 })).toEqual([["a.test", 1, since]]);
  expect(see(5, {})).toEqual([]);
  expect(see(10, { "a.test": 1 })).toEqual([]);
  expect(see(15, {})).toEqual([]);
  expect(see(20, {})).toEqual([["a.test", 0, "2026-11-26T12:00:20.000Z"]]);
});

test("after a start, one look alone is not believed", () => {
  const { queue, see } = watch();
  expect(see(0, {})).toEqual([]);
  expect(queue.lookedAt).toBe(0);
  expect(see(5, {})).toEqual([]);
  expect(queue.lookedAt).toBe(START + 5_000);
});
