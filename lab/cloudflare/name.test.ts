import { expect, test } from "vitest";
import { nameInZone, normaliseName } from "./name.ts";

test.each([
  ["WWW.Contoso.Test.", "www.contoso.test"],
  ["bücher.example", "xn--bcher-kva.example"],
  ["_dmarc.contoso.test", "_dmarc.contoso.test"],
  ["*.contoso.test", "*.contoso.test"],
  ["under_score.contoso.test", "under_score.contoso.test"],
])("%s comes back as %s", (name, normalised) => {
  expect(normaliseName(name)).toBe(normalised);
});

test.each([
  "",
  "a b.test",
  "a..test",
  "-a.test",
  "a.*.test",
  `${"a".repeat(64)}.test`,
  "a.".repeat(130),
])("%j is no name", (name) => {
  expect(normaliseName(name)).toBeUndefined();
});

test.each([
  ["@", "contoso.test"],
  ["contoso.test", "contoso.test"],
  ["mail", "mail.contoso.test"],
  ["mail.contoso.test.", "mail.contoso.test"],
  ["notcontoso.test", "notcontoso.test.contoso.test"],
  ["1", "1.contoso.test"],
])("%s in the zone contoso.test is %s", (name, full) => {
  expect(nameInZone(name, "contoso.test")).toBe(full);
});
