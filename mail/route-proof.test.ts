import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TLS_LEVELS } from "./route.ts";
import {
  chooseLogin,
  judgeFailure,
  judgeLogin,
  judgeProbeRecipient,
  judgeSession,
  judgeTlsOffer,
  judgeUnknownRecipient,
  PROOF_ATTEMPTS,
  type SmtpReply,
  secondsToNextAttempt,
} from "./route-proof.ts";

/** As a server writes it: `550 5.1.1 No such user`. */
function reply(line: string): SmtpReply {
  const [, code, status, text = ""] = /^(\d{3})(?: (\d\.\d+\.\d+))?(?: (.*))?$/.exec(line) ?? [];
  return { code: Number(code), ...(status !== undefined && { status }), text };
}

const judges = [judgeSession, judgeProbeRecipient, judgeUnknownRecipient, judgeLogin];

test("4xx is tried again at every step (RFC 5321 section 4.2.1)", () => {
  fc.assert(
    fc.property(fc.integer({ min: 400, max: 499 }), fc.constantFrom(...judges), (code, judge) => {
      expect(judge({ code, text: "later" })).toEqual({
        verdict: "trying",
        code: "proof-refused-softly",
      });
    }),
  );
});

test("5xx never counts as transient", () => {
  fc.assert(
    fc.property(fc.integer({ min: 500, max: 599 }), fc.constantFrom(...judges), (code, judge) => {
      expect(judge({ code, text: "no" })?.verdict).not.toBe("trying");
    }),
  );
});

test.each([
  ["250 2.1.5 Recipient OK", undefined],
  // Exchange Online with an inbound connector that takes mail from other addresses only.
  [
    "550 5.7.51 TenantInboundAttribution; There is a partner connector configured",
    "proof-gateway-refused",
  ],
  ["554 5.7.1 Service unavailable; client host [192.0.2.1] blocked", "proof-gateway-refused"],
  ["550 5.1.1 The email account that you tried to reach does not exist", "proof-recipient-unknown"],
  ["550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found", "proof-recipient-unknown"],
  ["550 5.4.1 Recipient address rejected: Access denied", "proof-recipient-unknown"],
  ["550 Unrouteable address", "proof-recipient-unknown"],
  ["552 5.2.2 Mailbox full", "proof-recipient-refused"],
])("the probe recipient is answered with %s", (line, code) => {
  expect(judgeProbeRecipient(reply(line))?.code).toBe(code);
});

describe("the recipient that cannot exist", () => {
  test.each([
    ["550 5.1.1 User unknown", undefined],
    ["550 5.4.1 Recipient address rejected: Access denied", undefined],
    ["550 No Such User Here", undefined],
    ["250 2.1.5 Recipient OK", "proof-rcpt-lookup-without-effect"],
    ["550 5.7.1 Relaying denied", "proof-rcpt-lookup-unclear"],
    ["550 5.4.1 All recipient addresses rejected", "proof-rcpt-lookup-unclear"],
    ["550 rejected", "proof-rcpt-lookup-unclear"],
  ])("is answered with %s", (line, code) => {
    expect(judgeUnknownRecipient(reply(line))?.code).toBe(code);
  });

  test("passes only with a refusal for good", () => {
    const codes = fc.integer({ min: 200, max: 499 });
    const statuses = fc.option(fc.constantFrom("5.1.1", "5.4.1", "4.7.1"));
    fc.assert(
      fc.property(codes, statuses, fc.string(), (code, status, text) => {
        const found = judgeUnknownRecipient({ code, ...(status && { status }), text });
        expect(found?.code).toMatch(/^proof-/);
      }),
    );
  });
});

test("a time-out names the port 25 block on port 25 only", () => {
  expect(judgeFailure("connectTimeout", 25).code).toBe("proof-port-25-timeout");
  expect(judgeFailure("connectTimeout", 587).code).toBe("proof-host-unreachable");
  expect(judgeFailure("unreachable", 25).code).toBe("proof-host-unreachable");
});

test("TLS that is not offered is enough for opportunistic only", () => {
  const refused = TLS_LEVELS.filter((level) => judgeTlsOffer(level, false) !== undefined);
  expect(refused).toEqual(["required", "verified"]);
  expect(TLS_LEVELS.map((level) => judgeTlsOffer(level, true))).toEqual([
    undefined,
    undefined,
    undefined,
  ]);
});

test("a login is PLAIN or LOGIN", () => {
  expect(chooseLogin(["CRAM-MD5", "login", "PLAIN"])).toBe("PLAIN");
  expect(chooseLogin(["login"])).toBe("LOGIN");
  expect(chooseLogin(["XOAUTH2"])).toBeUndefined();
  expect(judgeLogin(reply("535 5.7.8 Error: authentication failed"))?.code).toBe(
    "proof-login-refused",
  );
});

test("transient answers are repeated for about half an hour", () => {
  const waits = Array.from({ length: PROOF_ATTEMPTS - 1 }, (_, index) =>
    secondsToNextAttempt(index + 1),
  );
  const minutes = waits.reduce((sum, seconds) => sum + seconds, 0) / 60;
  expect(minutes).toBeGreaterThan(25);
  expect(minutes).toBeLessThan(35);
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
});
