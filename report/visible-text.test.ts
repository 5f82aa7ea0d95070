/** What is not seen, and what commands a terminal, is shown. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { nasty } from "./nasty.ts";
import { shortened, visible } from "./visible-text.ts";

test("nothing unseen is left, on one line", () => {
  fc.assert(
    fc.property(nasty, (value) => {
      expect(visible(value)).not.toMatch(/[\p{Cc}\p{Cf}\n]/u);
    }),
  );
  expect(visible("a\u202eb\u001b[31m")).toBe("a\\u{202e}b\\u{1b}[31m");
});

test("a text within the limit stays as it is; another says what is missing", () => {
  expect(shortened("äöü", 3)).toBe("äöü");
  expect(shortened("äöüß", 3)).toBe("äöü … (1 more characters)");
});
