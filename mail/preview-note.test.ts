/** Notes are found again whatever their text is. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatNote, NOTE_IDS, parseNote, subdomainOf, subdomainText } from "./preview-note.ts";

test("what was formatted is parsed again", () => {
  fc.assert(
    fc.property(fc.constantFrom(...NOTE_IDS), fc.string(), (id, text) => {
      expect(parseNote(`${formatNote(id, text)}\n`)).toEqual({ id, text });
    }),
  );
});

test("a line without an id, or with another's, is no note", () => {
  for (const line of ["", "not-read", "MX of a.test (not-readable)", "(not-read) is not the end"]) {
    expect(parseNote(line)).toBeUndefined();
  }
});

test("the name of a sub-domain is found in its note", () => {
  const text = subdomainText("shop.contoso.test", "10 mail.contoso.test.");
  expect(subdomainOf({ id: "subdomain-mx", text })).toBe("shop.contoso.test");
});
