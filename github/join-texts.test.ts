/** What fits into one comment. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { joinTexts } from "./join-texts.ts";

test("texts stand one below the other, and it is said how many do not fit", () => {
  expect(joinTexts(["one\n", "two\n"], 100)).toBe("one\n\ntwo");
  expect(joinTexts(["one", "x".repeat(90), "three"], 60)).toBe("one\n\n2 more do not fit here.");
});

test("with a first text that fits, all of it fits", () => {
  const texts = fc.array(fc.string({ maxLength: 50 }), { minLength: 1 });
  fc.assert(
    fc.property(texts, fc.integer({ min: 100, max: 300 }), (all, limit) => {
      expect(joinTexts(all, limit).length).toBeLessThanOrEqual(limit);
    }),
  );
});
