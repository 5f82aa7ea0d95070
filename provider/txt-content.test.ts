import * as fc from "fast-check";
import { expect, test } from "vitest";
import { quoteText } from "../mail/zone-file.ts";
import { decodeText } from "./txt-content.ts";

/** One UTF-16 unit a byte, up to the 4 KB that Cloudflare takes in one record. */
const bytes = fc
  .uint8Array({ maxLength: 4_096, size: "max" })
  .map((array) => Buffer.from(array).toString("latin1"));
const troublesome = fc
  .array(fc.constantFrom('"', "\\", " ", "0", "0", "255", "\u0000", "é", ";", "\t"), {
    maxLength: 700,
    size: "max",
  })
  .map((parts) => parts.join(""));

/** A character string as RFC 1035, section 5.1 writes it, in printable ASCII only. */
const characterStrings =
  /^"(?:[ !#-[\]-~]|\\["\\]|\\[0-2]\d\d)*"(?: "(?:[ !#-[\]-~]|\\["\\]|\\[0-2]\d\d)*")*$/;

test("any bytes come back as they were sent", () => {
  fc.assert(
    fc.property(fc.oneof(bytes, troublesome), (text) => {
      const content = quoteText(text);
      expect(decodeText(content)).toBe(text);
      expect(content).toMatch(characterStrings);
    }),
  );
});

test.each([
  [0, [0]],
  [254, [254]],
  [255, [255]],
  [256, [255, 1]],
  [510, [255, 255]],
  [511, [255, 255, 1]],
  [4_096, [...Array.from({ length: 16 }, () => 255), 16]],
])("%i bytes are character strings of at most 255 bytes", (length, sizes) => {
  const strings = quoteText("x".repeat(length)).split(" ");
  expect(strings.map((string) => string.length - 2)).toEqual(sizes);
});

test("an escape counts as the one byte that it stands for, and is never cut", () => {
  const content = quoteText(`${"x".repeat(254)}"é`);
  expect(content).toBe(`"${"x".repeat(254)}\\"" "\\233"`);
});

test.each([
  ["quoted, as the API returns it", '"v=spf1 -all"', "v=spf1 -all"],
  ["several strings, joined without a space", '"v=spf1 mx" " -all"', "v=spf1 mx -all"],
  ["several strings without anything between them", '"v=spf1 mx"" -all"', "v=spf1 mx -all"],
  ["several strings on several lines", '"v=spf1 "\n\t"-all"', "v=spf1 -all"],
  ["an empty string", '""', ""],
  ["an empty string beside another", '"" "a"', "a"],
  ["without quotes, as older records have it", "v=spf1 -all", "v=spf1 -all"],
  ["without quotes, and with one inside", 'say "hello"', 'say "hello"'],
  ["an escaped quote", String.raw`"say \"hello\""`, 'say "hello"'],
  ["an escaped backslash before the closing quote", String.raw`"c:\\" "d"`, "c:\\d"],
  ["decimal bytes", String.raw`"\195\169\000"`, "\u00c3\u00a9\u0000"],
  ["digits behind a decimal byte", String.raw`"\0650"`, "A0"],
  [
    "letters outside ASCII, written plainly, are UTF-8",
    '"é" "“"',
    "\u00c3\u00a9\u00e2\u0080\u009c",
  ],
  ["letters outside ASCII without quotes", "é", "\u00c3\u00a9"],
  ["an escaped character that needs no escape", String.raw`"a\;b\.c"`, "a;b.c"],
])("content is decoded: %s", (_what, content, text) => {
  expect(decodeText(content)).toBe(text);
});

test("two ways to write the same bytes decode to the same text", () => {
  expect(decodeText('"v=spf1 include:_spf." "gateway.test -all"')).toBe(
    decodeText('"v=spf1 include:_spf.gateway.test -all"'),
  );
});
