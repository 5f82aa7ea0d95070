/** A comment about so many domains that not even a line each fits. */
import { expect, test } from "vitest";
import { renderComment } from "./markdown.ts";
import type { StackReport } from "./stack-report.ts";

/** Only one of a thousand has a high risk. */
const reports = Array.from({ length: 1_000 }, (_, index): StackReport => {
  const domain = `d${index}.test`;
  const level = index === 700 ? "high" : "low";
  return {
    stack: `s${index}`,
    kind: "tenant",
    status: "changed",
    isDestroyed: false,
    summary: "1 of 1 domain changes.",
    domains: [
      {
        domain,
        displayName: domain,
        change: "onboard",
        summary: `${domain} comes onto the gateway.`,
        settings: [],
        notices: ["Senders notice nothing."],
        duration: ["Minutes."],
        steps: [["Before the run: Do one thing", "   - Like this."]],
        isFromState: false,
        risks: [{ id: "long-ttl", level, text: "It may be late.", fix: "Wait." }],
        unread: [],
      },
    ],
    faults: [],
    risks: [],
    technical: [],
    changeDigest: "0".repeat(64),
  };
});

test("the riskiest are told at length, others in a line, the last as a number; the rest has all", () => {
  const { comment, rest = "" } = renderComment(reports);
  const headings = [...comment.matchAll(/^### `(d\d+\.test)`/gm)].map(([, name]) => name);
  const lines = comment.match(/^- `d\d+\.test` /gm) ?? [];
  const [, left] = /And (\d+) domains more/.exec(comment) ?? [];
  expect(headings[0]).toBe("d700.test");
  expect(headings.length).toBeGreaterThan(20);
  expect(lines.length).toBeGreaterThan(50);
  expect(headings.length + lines.length + Number(left)).toBe(1_000);
  expect(comment.length).toBeLessThanOrEqual(65_000);
  expect(rest.match(/^### /gm)).toHaveLength(1_000);
});
