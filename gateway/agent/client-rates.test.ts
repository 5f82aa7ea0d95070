import * as fc from "fast-check";
import { expect, test } from "vitest";
import { ClientRates } from "./client-rates.ts";

const limits = { messages: 3, recipients: 5 };

interface Recipient {
  readonly client: string;
  readonly message: string;
  /** Milliseconds since the one before. */
  readonly after: number;
}

const recipient: fc.Arbitrary<Recipient> = fc.record({
  client: fc.constantFrom("192.0.2.1", "192.0.2.2", "2001:db8::1"),
  message: fc.constantFrom("m1", "m2", "m3", "m4", "m5"),
  after: fc.constantFrom(0, 1_000, 30_000, 59_999, 60_000),
});

function ask(rates: ClientRates, { client, message }: Recipient, now: number) {
  const request = {
    clientAddress: client,
    instance: message,
    sender: "",
    recipient: "",
    context: "",
  };
  return rates.count(request, now);
}

test("a client has so many messages and recipients in a minute from its first, and others never feel it", () => {
  fc.assert(
    fc.property(fc.array(recipient, { maxLength: 60 }), (recipients) => {
      const rates = new ClientRates(limits);
      const starts = new Map<string, number>();
      const seen = new Map<string, Recipient[]>();
      let now = 5_000_000;
      for (const one of recipients) {
        now += one.after;
        if (now - (starts.get(one.client) ?? Number.NEGATIVE_INFINITY) >= 60_000) {
          starts.set(one.client, now);
          seen.set(one.client, []);
        }
        const before = seen.get(one.client) ?? [];
        const messages = [...new Set([...before, one].map(({ message }) => message))];
        const isTooMuch = messages.indexOf(one.message) >= limits.messages;
        const isTooMany = before.length >= limits.recipients;
        const said = ask(rates, one, now);
        expect(said === undefined).toBe(!isTooMuch && !isTooMany);
        seen.set(one.client, [...before, one]);
      }
    }),
  );
});

test("the reply says what was too much, and is one to try again", () => {
  const rates = new ClientRates(limits);
  const say = (message: string) => ask(rates, { client: "192.0.2.1", message, after: 0 }, 1);
  expect(["m1", "m2", "m3", "m4", "m1", "m1"].map(say)).toEqual([
    undefined,
    undefined,
    undefined,
    "450 4.7.1 too much mail in a minute",
    undefined,
    "450 4.7.1 too many recipients in a minute",
  ]);
});
