import { execFileSync } from "node:child_process";
import { array, assert, constantFrom, oneof, pre, property, string, uniqueArray } from "fast-check";
import { expect, test } from "vitest";
import {
  addressPattern,
  bare,
  exchangeName,
  powershell,
  powershellList,
  shell,
} from "./quoting.ts";

/** PowerShell's four other single quotes are quotes, too. */
const SINGLE_QUOTES = /['\u2018\u2019\u201A\u201B]/;

/**
 * Reads a verbatim string as PowerShell's tokenizer does (`ScanStringLiteral`): it ends at a quote that no other
 * quote follows; two are one.
 */
function readVerbatim(text: string): { value: string; rest: string } {
  expect(text[0]).toMatch(SINGLE_QUOTES);
  let value = "";
  for (let at = 1; at < text.length; at += 1) {
    const letter = text[at] ?? "";
    if (SINGLE_QUOTES.test(letter)) {
      if (!SINGLE_QUOTES.test(text[at + 1] ?? "")) return { value, rest: text.slice(at + 1) };
      at += 1;
    }
    value += letter;
  }
  throw new Error(`No end: ${text}`);
}

const HOSTILE = Array.from("'\u2018\u2019\u201A\u201B\"`$(){};|&#<>,@ \\-abc%*?ß");

/** Rich in what ends strings and begins commands. */
const hostile = string({ unit: constantFrom(...HOSTILE) });

test("a PowerShell string is one string with exactly the value, and nothing behind it", () => {
  assert(
    property(oneof(hostile, string({ unit: "grapheme" })), (value) => {
      pre(!/[\p{Cc}\u2028\u2029]/u.test(value));
      expect(readVerbatim(powershell(value))).toEqual({ value, rest: "" });
    }),
    { numRuns: 2000 },
  );
});

test("a list is as many strings as values", () => {
  assert(
    property(array(hostile, { minLength: 1, maxLength: 4 }), (values) => {
      const read: string[] = [];
      let rest = `,${powershellList(values)}`;
      while (rest !== "") {
        expect(rest[0]).toBe(",");
        const next = readVerbatim(rest.slice(1));
        read.push(next.value);
        rest = next.rest;
      }
      expect(read).toEqual(values);
    }),
  );
});

test("a shell word is one word with exactly the value", () => {
  assert(
    property(hostile, (value) => {
      const command = `printf '%s.' ${shell(value)}`;
      expect(execFileSync("/bin/sh", ["-c", command], { encoding: "utf8" })).toBe(`${value}.`);
    }),
    { numRuns: 50 },
  );
});

test("a line break stands in no command", () => {
  for (const value of ["a\nb", "a\rb", "a\u2028b", "a\u0000b", "a\u001bb"]) {
    expect(() => powershell(value)).toThrow("control character");
    expect(() => shell(value)).toThrow("control character");
  }
});

test("only names and addresses stand without quotes", () => {
  for (const value of ["contoso.example", "xn--bcher-kva.example", "192.0.2.7", "2001:db8::1"]) {
    expect(bare(value)).toBe(value);
  }
  for (const value of [
    "",
    "a b",
    "a;b",
    "-a",
    "a\n",
    "$(a)",
    "a'",
    "a`b",
    "[a]",
    "a/b",
    "a|b",
    "*",
  ]) {
    expect(() => bare(value)).toThrow("neither a name nor an address");
  }
});

test("a pattern matches the domain, not one below or beside it", () => {
  const pattern = new RegExp(addressPattern("contoso.example"));
  expect("ann@contoso.example").toMatch(pattern);
  for (const other of [
    "ann@sub.contoso.example",
    "ann@contosoxexample",
    "ann@contoso.example.org",
  ]) {
    expect(other).not.toMatch(pattern);
  }
});

test("names fit into Exchange's 64 characters and stay different", () => {
  const label = string({ unit: constantFrom("a", "b", "c", "-"), minLength: 40, maxLength: 63 });
  assert(
    property(uniqueArray(label, { minLength: 2, maxLength: 2 }), ([first = "", second = ""]) => {
      const domains = [`${"a".repeat(60)}.${first}.example`, `${"a".repeat(60)}.${second}.example`];
      const names = domains.map((domain) => exchangeName("Out through the gateway", domain));
      expect(new Set(names).size).toBe(2);
      for (const name of names) expect(name.length).toBeLessThanOrEqual(64);
    }),
  );
});
