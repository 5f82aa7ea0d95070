import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import type { StackVerdict } from "./verify-stack.ts";
import { worst } from "./verify-stack.ts";
import { verdictTable } from "./verify-table.ts";

const verdict: StackVerdict = {
  stack: "contoso",
  at: "2026-11-26T12:00:00.000Z",
  status: "unread",
  checks: [{ id: "slots-healthy", status: "well", text: "Slots a, b report that all is well." }],
  domains: [
    {
      domain: "contoso.test",
      status: "unread",
      checks: [
        { id: "mx", status: "wrong", text: "ns1 answers no MX", fix: "Run pulumi up." },
        { id: "rcpt", status: "unread", text: "It could not be checked." },
      ],
    },
  ],
};

test("a line for each check, in columns, with what to do below", () => {
  const table = verdictTable(verdict, false);
  expect(table).toBe(
    [
      "Stack contoso: looked at 1 domain at 2026-11-26T12:00:00.000Z. Nothing was changed.",
      "",
      "The stack and its gateway",
      "  ok        slots-healthy  Slots a, b report that all is well.",
      "contoso.test",
      "  WRONG     mx             ns1 answers no MX",
      "                           → Run pulumi up.",
      "  NOT READ  rcpt           It could not be checked.",
      "",
      "3 checks: 1 well, 1 wrong, 1 not read. docs/verify.md explains each.",
    ].join("\n"),
  );
});

test("colours are for terminals", () => {
  const coloured = verdictTable(verdict, true);
  expect(coloured).toContain("\u001b[31mWRONG   \u001b[39m");
  expect(stripVTControlCharacters(coloured)).toBe(verdictTable(verdict, false));
});

test("what was not read is worse than what is wrong, and what was left out is neither", () => {
  const [mx, rcpt] = verdict.domains[0]?.checks ?? [];
  if (mx === undefined || rcpt === undefined) throw new Error("no checks");
  expect(worst([mx, rcpt])).toBe("unread");
  expect(worst([mx])).toBe("wrong");
  expect(worst([{ ...mx, status: "notice" }])).toBe("notice");
  expect(worst([{ ...mx, status: "skipped" }])).toBe("well");
  expect(worst([])).toBe("well");
});
