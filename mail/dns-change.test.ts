import { expect, test } from "vitest";
import { type DnsChange, describeDnsChange, dnsChangeNeeded } from "./dns-change.ts";

const none: DnsChange = {
  domain: "contoso.test",
  what: "MX",
  add: [],
  remove: [],
  mayGo: [],
  overlapSeconds: 0,
};
const old = "contoso.test. IN MX 10 mail.contoso.test.";
const ours = "contoso.test. 300 IN MX 10 mx1.gateway.test.";

test.each<[string, Partial<DnsChange>, string]>([
  [
    "an addition, and what may go with it",
    { add: [ours], mayGo: [old] },
    `To be changed by hand, where the DNS of contoso.test is kept:
    add     ${ours}
  Leave what stands beside it.
  Where your DNS host saves several changes as one, this may go with it; else it is next:
    remove  ${old}`,
  ],
  [
    "a removal after the overlap",
    { remove: [old], overlapSeconds: 60 },
    `To be changed by hand, where the DNS of contoso.test is kept:
    remove  ${old}
  Every name server shows both by now: let them stand for 60 s first.`,
  ],
  [
    "a swap",
    { add: [ours], remove: [old] },
    `To be changed by hand, where the DNS of contoso.test is kept:
    remove  ${old}
    add     ${ours}
  Save both as one change: neither alone is right.`,
  ],
])("the words of %s", (_what, change, words) => {
  expect(describeDnsChange({ ...none, ...change })).toBe(words);
});

test("the error says where, what, and that the same command goes on", () => {
  const error = dnsChangeNeeded({ ...none, add: [ours] });
  expect(error.code).toBe("dns-change-needed");
  expect(error.message).toMatch(/^MX of contoso\.test: To be changed by hand/);
  expect(error.message).toContain("run the same command again");
});
