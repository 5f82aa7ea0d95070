import { expect, test } from "vitest";
import { MailRuleError } from "./errors.ts";

const fault = {
  code: "spf-two-records",
  problem: '"contoso.test" has two SPF records.',
  fix: "Delete one of them.",
  value: "v=spf1 -all",
};

test("the message says what is wrong, then how to go on", () => {
  const error = new MailRuleError(fault);
  expect(error.message).toBe('"contoso.test" has two SPF records. Delete one of them.');
  expect(error).toMatchObject({ ...fault, name: "MailRuleError", where: undefined });
  expect("cause" in error).toBe(false);
});

test("a place given later stands before the message, and the first error stays the cause", () => {
  const error = new MailRuleError(fault);
  const placed = error.at("domains.contoso.test.spf");
  expect(placed.message).toBe(
    'domains.contoso.test.spf: "contoso.test" has two SPF records. Delete one of them.',
  );
  expect(placed).toMatchObject({ ...fault, where: "domains.contoso.test.spf" });
  expect(placed.cause).toBe(error);
});

test("the cause is kept", () => {
  const cause = new RangeError("out of range");
  expect(new MailRuleError({ ...fault, cause }).cause).toBe(cause);
});
