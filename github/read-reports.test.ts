/** Reports of another version are never taken for such as this one has made. */
import { expect, test } from "vitest";
import { MailRuleError } from "../mail/errors.ts";
import { readReports, unreadableText } from "./read-reports.ts";

const report = {
  stack: "contoso",
  kind: "tenant",
  status: "unchanged",
  isDestroyed: false,
  summary: "Nothing changes.",
  domains: [],
  faults: [],
  risks: [],
  technical: [],
  changeDigest: "0",
};

test("reports of this version are read", () => {
  expect(readReports(JSON.stringify([report]))).toEqual([report]);
});

const risk = { id: "of-a-later-version", level: "high", text: "It may be lost.", fix: "Wait." };

test.each([
  ["a risk that this version does not know", JSON.stringify([{ ...report, risks: [risk] }])],
  ["a field that it does not know", JSON.stringify([{ ...report, later: true }])],
  ["another form", "{}"],
  ["no JSON", "<html>"],
])("%s is a fault with a code", (_, text) => {
  expect(() => readReports(text)).toThrow(
    expect.objectContaining({ code: "report-of-other-version" }),
  );
});

test("the comment says that it shows nothing, and where to read", () => {
  const fault = new MailRuleError({ code: "report-of-other-version", problem: "p", fix: "f" });
  const text = unreadableText(fault, "https://github.test/runs/1");
  expect(text).toContain(
    "> [!WARNING]\n> **Nothing of it stands here** (`report-of-other-version`)",
  );
  expect(text).toContain("[the summary of its run](https://github.test/runs/1)");
  expect(text).not.toContain("Nothing changes");
});
