import { expect, test } from "vitest";
import type { DomainAnswer } from "./answers.ts";
import { LastMail } from "./last-mail.ts";
import type { PassedMail } from "./mail-log.ts";

function passed(second: number, direction: PassedMail["direction"] = "inbound"): PassedMail {
  const mail = { at: new Date(second * 1000).toISOString(), from: "192.0.2.7" };
  return { domain: "a.test", direction, mail };
}

function make() {
  const told: DomainAnswer[] = [];
  const lastMail = new LastMail(
    (answer) => told.push(answer),
    (domain) => domain === "a.test",
  );
  const note = (second: number, direction?: PassedMail["direction"]) =>
    lastMail.note(passed(second, direction), second * 1000);
  return { told, lastMail, note };
}

test("a domain and direction is told at once, then once a minute, and the last one always", () => {
  const { told, lastMail, note } = make();
  for (let second = 0; second < 150; second += 1) {
    note(second);
    lastMail.flush(second * 1000);
  }
  lastMail.flush(300_000);
  expect(told.map(({ lastInbound }) => Date.parse(lastInbound?.at ?? "") / 1000)).toEqual([
    0, 60, 120, 149,
  ]);
});

test("directions are told apart, and domains without a route are not told", () => {
  const { told, lastMail, note } = make();
  note(1);
  note(2, "outbound");
  lastMail.note({ ...passed(3), domain: "outside.test" }, 3_000);
  expect(told).toEqual([
    { domain: "a.test", lastInbound: passed(1).mail },
    { domain: "a.test", lastOutbound: passed(2).mail },
  ]);
});
