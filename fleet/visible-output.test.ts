/** What DNS and the engine say commands neither a terminal nor the runner of a workflow, and breaks out of no line. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { driftText } from "../github/drift-text.ts";
import { MailRuleError } from "../mail/errors.ts";
import { wrong } from "../mail/verify/check.ts";
import { nasty as anyText } from "../report/nasty.ts";
import { progressLine } from "./progress-line.ts";
import { changeSummary } from "./summary.ts";
import { verdictsText } from "./verdicts-text.ts";

const nasty = fc.oneof(
  anyText,
  anyText.map((text) => `a\n::stop-commands::x\r\n${text}\n  ::add-mask::b`),
);

const RUNS = { numRuns: 500 };
/** Control characters but the line break, and what turns the direction of a text. */
const COMMANDS = /\p{Cc}|[\u202a-\u202e\u2066-\u2069]/u;

/** What would command something, of a text. */
function commandsIn(text: string): string[] {
  return text.split("\n").filter((line) => COMMANDS.test(line) || /^\s*::/.test(line));
}

test("what a look has found", () => {
  fc.assert(
    fc.property(nasty, nasty, (seen, fix) => {
      const checks = [wrong("dns-changed", seen, fix)];
      const domains = [{ domain: "contoso.test", status: "wrong" as const, checks }];
      const text = verdictsText([
        { stack: "contoso", at: "2026-11-27T03:17:00Z", status: "wrong", checks: [], domains },
      ]);
      expect(commandsIn(text)).toEqual([]);
      expect(text.split("\n")).toHaveLength(4);
    }),
    RUNS,
  );
});

test("how a run has ended", () => {
  fc.assert(
    fc.property(nasty, nasty, (problem, why) => {
      const refusal = new MailRuleError({
        code: "not-as-reviewed",
        where: "fabrikam",
        problem: why,
        fix: "Look.",
      });
      const text = changeSummary({
        reports: [],
        outcomes: [{ stack: "contoso", outcome: "failed", problem }],
        refusals: [refusal],
      });
      expect(commandsIn(text)).toEqual([]);
      // Each line of a problem is there, and belongs to it.
      const own = text.split("\n").filter((line) => !line.startsWith("    | "));
      expect(own).toHaveLength(3);
    }),
    RUNS,
  );
});

test("the issue on what differs", () => {
  fc.assert(
    fc.property(nasty, nasty, (text, fix) => {
      const found = {
        stack: "contoso",
        domain: "contoso.test",
        kind: "differs",
        text,
        fix,
      } as const;
      expect(commandsIn(driftText([found], new Date(0), undefined).body)).toEqual([]);
    }),
    RUNS,
  );
});

test("what a run waits for", () => {
  fc.assert(
    fc.property(nasty, (message) => {
      const diagnosticEvent = { severity: "info", ephemeral: true, message };
      const line = progressLine({ diagnosticEvent });
      expect(line?.split("\n")).toHaveLength(1);
      expect(line).not.toMatch(COMMANDS);
    }),
    RUNS,
  );
});
