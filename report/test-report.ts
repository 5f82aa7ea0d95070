/** For tests: reports with one value in all places, and what a comment on them may be made of. */
import { rendered } from "./rendered.ts";
import type { StackReport } from "./stack-report.ts";

/** What the comment itself is made of. */
const OWN_TAGS = new Set([
  "<h2>",
  "<h3>",
  "<p>",
  "<ul>",
  "<ol>",
  "<li>",
  "<strong>",
  "<code>",
  '<code class="language-text">',
  '<code class="language-diff">',
  "<pre>",
  "<br>",
  "<br />",
  "<details>",
  "<summary>",
  "<sub>",
  "<blockquote>",
]);

export function foreignTags(markdown: string): string[] {
  return rendered(markdown).tags.filter((tag) => !OWN_TAGS.has(tag));
}

/** One value in all places. */
export function reportWith(value: string): StackReport {
  const both = { before: value, after: `${value}2` };
  return {
    stack: value,
    kind: "tenant",
    organisation: value,
    status: "failed",
    isDestroyed: false,
    summary: value,
    domains: [
      {
        domain: value,
        displayName: value,
        change: "onboard",
        summary: value,
        inboundPath: both,
        outboundPath: both,
        mx: { before: [value], after: [`${value}2`] },
        spf: both,
        spfLookups: { used: 1, limit: 10, byTerm: [{ term: value, lookups: 1 }] },
        settings: [{ name: "Server", before: `a ${value}`, after: value }],
        notices: [value],
        duration: [value],
        steps: [[value, `   - ${value}`, `     ${value}`]],
        isFromState: true,
        risks: [{ id: "warned", level: "high", text: value, fix: value }],
        unread: [{ code: "x-y", where: value, problem: value, fix: value }],
      },
    ],
    faults: [{ code: "x-y", where: value, problem: value, fix: value }],
    risks: [],
    technical: [value],
    changeDigest: "",
  };
}

/** With so many domains, each of the kind. */
export function many(stacks: number, level: "high" | "medium" | "low" | undefined): StackReport[] {
  return Array.from({ length: stacks }, (_, index) => {
    const [only] = reportWith(`s${index}.test`).domains;
    const risks =
      level === undefined ? [] : [{ id: "warned" as const, level, text: "t", fix: "f" }];
    const own = only === undefined ? [] : [{ ...only, unread: [], risks }];
    return { ...reportWith(`s${index}.test`), status: "changed", faults: [], domains: own };
  });
}
