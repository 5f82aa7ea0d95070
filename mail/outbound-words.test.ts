import { expect, test } from "vitest";
import { outboundRefusal } from "./outbound-words.ts";

const sender = { domain: "contoso.test", mailSystem: "other", relay: "smtp-relay.test" } as const;

test("a slot that cannot vouch for a domain's silence says since when", () => {
  const silent = [
    { slot: "a" },
    { slot: "b", toldUntil: "1970-01-01T00:00:00.000Z" },
    { slot: "c", toldUntil: "2026-11-26T12:00:00.000Z" },
  ];
  const { code, problem } = outboundRefusal(
    sender,
    { kind: "unknown", silent },
    { quietSeconds: 60 },
  );
  expect(code).toBe("outbound-not-known");
  expect(problem).toContain(
    "slot a has never reported; slot b has told of no mail yet since it started; slot c has told of mail until 2026-11-26T12:00:00.000Z only",
  );
});
