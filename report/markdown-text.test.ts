/** No value breaks out of its place in GitHub's Markdown, whatever it is. */
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { code, codeBlock, sentence } from "./markdown-text.ts";
import { NASTY, nasty } from "./nasty.ts";
import { LINKED, rendered } from "./rendered.ts";
import { visible } from "./visible-text.ts";

/** As HTML shows them, several blanks are one. */
function squeezed(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** As HTML writes it. */
function escaped(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

const RUNS = { numRuns: 2_000 };

describe("a code span", () => {
  test.each(NASTY)("%j stays in it", (value) => {
    const { tags } = rendered(`before ${code(value)} after`);
    expect(tags.filter((tag) => tag !== "<p>" && tag !== "<code>")).toEqual([]);
  });

  test("holds the whole value, and nothing else becomes of it", () => {
    fc.assert(
      fc.property(nasty, (value) => {
        const { tags, codes, prose } = rendered(`before ${code(value)} after`);
        const shown = squeezed(visible(value));
        fc.pre(shown !== "");
        expect(tags).toEqual(["<p>", "<code>"]);
        expect(codes.map(squeezed)).toEqual([shown]);
        expect(squeezed(prose)).toBe("before ▪ after");
      }),
      RUNS,
    );
  });
});

test("a code span of nothing says so", () => {
  expect([code(""), code("   "), code("\n")]).toEqual(["(empty)", "`(blanks)`", "`(blanks)`"]);
});

describe("a code block", () => {
  test("holds all lines, each on its own", () => {
    fc.assert(
      fc.property(fc.array(nasty, { minLength: 1, maxLength: 4 }), (lines) => {
        const { tags, codes } = rendered(`before\n\n${codeBlock(lines, "diff")}\n\nafter`);
        expect(tags).toEqual(["<p>", "<pre>", '<code class="language-diff">', "<p>"]);
        const shown = lines.map((line) => visible(line));
        expect(codes).toEqual([`${shown.join("\n")}\n`]);
      }),
      RUNS,
    );
  });
});

describe("a sentence", () => {
  test("has no link, no mention and no HTML, and begins nothing", () => {
    fc.assert(
      fc.property(nasty, (value) => {
        const { tags, prose } = rendered(`- ${sentence(`The Server ${value} is no host.`)}`);
        expect(tags.filter((tag) => tag !== "<code>")).toEqual(["<ul>", "<li>"]);
        expect(prose).not.toMatch(LINKED);
      }),
      RUNS,
    );
  });

  test("is no list and no heading where the value stands first", () => {
    fc.assert(
      fc.property(nasty, (value) => {
        const { tags } = rendered(sentence(`${value} end`));
        expect(tags.filter((tag) => tag !== "<code>")).toEqual(["<p>"]);
      }),
      RUNS,
    );
  });

  test("keeps every word", () => {
    fc.assert(
      fc.property(nasty, (value) => {
        const { html } = rendered(sentence(`a ${value} b`));
        const text = squeezed(html.replaceAll(/<[^>]*>/g, ""));
        expect(text).toBe(escaped(squeezed(visible(`a ${value} b`))));
      }),
      RUNS,
    );
  });

  test("leaves plain words plain, and shows names and addresses as code", () => {
    expect(sentence("Mail to woodgrove.test goes around the gateway (for 5 minutes).")).toBe(
      "Mail to `woodgrove.test` goes around the gateway (for 5 minutes).",
    );
    expect(sentence("The record v=spf1 a:mail.test -all, and no other.")).toBe(
      "The record `v=spf1 a:mail.test -all`, and no other.",
    );
  });
});

test("a very long value is cut, and says so", () => {
  expect(code("x".repeat(5_000))).toBe(`\`${"x".repeat(1_000)} … (4000 more characters)\``);
  expect(sentence("y ".repeat(5_000)).length).toBeLessThan(2_100);
});
