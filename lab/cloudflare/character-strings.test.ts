import * as fc from "fast-check";
import { expect, test } from "vitest";
import { normaliseText, textLength } from "./character-strings.ts";

test("text without quotes becomes one character string", () => {
  expect(normaliseText("v=spf1 -all")).toBe('"v=spf1 -all"');
});

test("quoted character strings are kept apart", () => {
  expect(normaliseText('"v=DKIM1; "   "p=abc"')).toBe('"v=DKIM1; " "p=abc"');
});

test("a character string has at most 255 bytes (RFC 1035 section 3.3)", () => {
  expect(normaliseText("x".repeat(300))).toBe(`"${"x".repeat(255)}" "${"x".repeat(45)}"`);
});

test("quotes, backslashes and bytes beyond ASCII are escaped (RFC 1035 section 5.1)", () => {
  expect(normaliseText(String.raw`say "ü" \ bye`)).toBe(String.raw`"say \"\195\188\" \\ bye"`);
  expect(normaliseText(String.raw`"\"" "\065"`)).toBe(String.raw`"\"" "A"`);
});

test.each(['"open', '"a" b', '"a"b"'])("%s has no matching quotes", (content) => {
  expect(normaliseText(content)).toBeUndefined();
});

test("normalising again changes nothing, and no byte is lost", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 600 }), (text) => {
      fc.pre(!text.startsWith('"'));
      const normalised = normaliseText(text) ?? "";
      expect(normaliseText(normalised)).toBe(normalised);
      expect(textLength(normalised)).toBe(Buffer.byteLength(text));
    }),
  );
});
