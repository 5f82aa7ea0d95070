import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  type KnownMail,
  MOST_CLIENTS,
  type PassedMessage,
  SPELL_GAP_SECONDS,
  withMessage,
} from "./mail-spell.ts";

const START = Date.parse("2026-11-26T00:00:00Z");
const at = (second: number) => new Date(START + second * 1000).toISOString();

/** Messages in the order of time, some close together, some hours apart. */
const traffic = fc
  .array(
    fc.record({
      after: fc.oneof(fc.integer({ min: 0, max: 600 }), fc.integer({ min: 3_000, max: 20_000 })),
      from: fc.integer({ min: 1, max: 9 }).map((host) => `192.0.2.${host}`),
    }),
    { minLength: 1, maxLength: 40 },
  )
  .map((gaps) => {
    let second = 0;
    return gaps.map(({ after, from }) => {
      second += after;
      return { at: at(second), from };
    });
  });

function follow(messages: readonly PassedMessage[]): KnownMail {
  let known: KnownMail | undefined;
  for (const message of messages) known = withMessage(known, message, at(0));
  if (known === undefined) throw new Error("no message");
  return known;
}

test("the spell holds the messages after the last gap of an hour", () => {
  fc.assert(
    fc.property(traffic, (messages) => {
      const times = messages.map((message) => Date.parse(message.at));
      const isFirst = (time: number, index: number) =>
        index === 0 || time - (times[index - 1] ?? 0) >= SPELL_GAP_SECONDS * 1000;
      const first = times.findLastIndex(isFirst);
      expect(follow(messages).spell).toEqual({
        since: messages[first]?.at,
        messages: messages.length - first,
      });
    }),
  );
});

test("every client that sent after knownSince is named, with its last message", () => {
  fc.assert(
    fc.property(traffic, (messages) => {
      const { clients } = follow(messages);
      expect(clients.latest.length).toBeLessThanOrEqual(MOST_CLIENTS);
      const last = new Map(messages.map((message) => [message.from, message.at]));
      for (const { from, at: time } of clients.latest) expect(last.get(from)).toBe(time);
      const named = new Set(clients.latest.map(({ from }) => from));
      for (const [from, time] of last) {
        expect(named.has(from) || time <= clients.knownSince).toBe(true);
      }
    }),
  );
});
