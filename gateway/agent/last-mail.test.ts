import { expect, test } from "vitest";
import type { DomainAnswer } from "./answers.ts";
import { LastMail } from "./last-mail.ts";
import type { PassedMail } from "./mail-log.ts";

const at = (second: number) => new Date(second * 1000).toISOString();

function passed(second: number, direction: PassedMail["direction"] = "inbound"): PassedMail {
  return { domain: "a.test", direction, mail: { at: at(second), from: "192.0.2.7" } };
}

/** What is told of messages that followed one another; the first one is the first line of the log. */
function told(since: number, second: number, messages: number) {
  return {
    ...passed(second).mail,
    spell: { since: at(since), messages },
    clients: { knownSince: at(since), latest: [passed(second).mail] },
  };
}

function make({ isCaughtUp = true } = {}) {
  const answers: DomainAnswer[] = [];
  const since: (number | undefined)[] = [];
  const lastMail = new LastMail(
    (answer, outboundSince) => {
      answers.push(answer);
      since.push(outboundSince);
    },
    (domain) => domain === "a.test",
  );
  const readTo = (second: number) => {
    lastMail.readTo("inbound", second * 1000);
    lastMail.readTo("outbound", second * 1000);
  };
  if (isCaughtUp) readTo(0);
  const note = (second: number, direction?: PassedMail["direction"], now = second) =>
    lastMail.note(passed(second, direction), now * 1000);
  return { answers, since, lastMail, note, readTo };
}

test("a domain and direction is told at once, then once a minute, and the last one always", () => {
  const { answers, since, lastMail, note } = make();
  for (let second = 0; second < 150; second += 1) {
    note(second, "outbound");
    lastMail.flush(second * 1000);
  }
  lastMail.flush(300_000);
  expect(answers).toEqual([
    { domain: "a.test", lastOutbound: told(0, 0, 1) },
    { domain: "a.test", lastOutbound: told(0, 60, 61) },
    { domain: "a.test", lastOutbound: told(0, 120, 121) },
    { domain: "a.test", lastOutbound: told(0, 149, 150) },
  ]);
  expect(since).toEqual([0, 1_000, 61_000, 121_000]);
});

test("directions are told apart, and domains without a route are not told", () => {
  const { answers, lastMail, note } = make();
  note(1);
  note(2, "outbound");
  lastMail.note({ ...passed(3), domain: "outside.test" }, 3_000);
  expect(answers).toEqual([
    { domain: "a.test", lastInbound: told(1, 1, 1) },
    { domain: "a.test", lastOutbound: told(2, 2, 1) },
  ]);
});

test("an agent that starts tells of the last message in the log only, and of nothing before it", () => {
  const { answers, lastMail, note, readTo } = make({ isCaughtUp: false });
  note(100, "outbound", 90_000);
  lastMail.flush(90_000_000);
  note(200, "outbound", 90_000);
  expect(answers).toEqual([]);
  expect(lastMail.toldUntil).toBe(0);
  readTo(90_000);
  // It was read, and is not told yet.
  expect(lastMail.toldUntil).toBe(100_000);
  lastMail.flush(90_001_000);
  expect(answers).toEqual([{ domain: "a.test", lastOutbound: told(100, 200, 2) }]);
  expect(lastMail.toldUntil).toBe(90_000_000);
});

test("outbound mail that waits for its minute holds the time back until which all is told", () => {
  const { since, lastMail, note, readTo } = make();
  note(10, "outbound");
  note(20, "outbound");
  note(30, "outbound");
  note(15, "inbound");
  note(25, "inbound");
  readTo(40);
  expect(lastMail.toldUntil).toBe(20_000);
  lastMail.flush(71_000);
  expect(lastMail.toldUntil).toBe(40_000);
  // Inbound mail is told, and holds nothing back.
  expect(since).toEqual([10_000, undefined, 20_000]);
});
