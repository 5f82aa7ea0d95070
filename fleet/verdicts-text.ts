/** What a look at many stacks has found, for a person: only what is not well, by stack. Pure. */
import type { StackVerdict } from "../commands/verify-stack.ts";
import type { Check } from "../mail/verify/check.ts";
import { visible } from "../report/visible-text.ts";
import { EXIT } from "./summary.ts";

export function verdictsText(verdicts: readonly StackVerdict[]): string {
  const counts = Object.entries(Object.groupBy(verdicts, ({ status }) => status)).map(
    ([status, all]) => `${all.length} ${status}`,
  );
  const stacks = verdicts.length === 1 ? "1 stack" : `${verdicts.length} stacks`;
  const sum =
    verdicts.length === 0
      ? "No stack is concerned."
      : `${stacks}: ${counts.toSorted().join(", ")}.`;
  return [...verdicts.flatMap(section), sum].join("\n");
}

/** As `npm run verify` ends. */
export function verdictsExit(verdicts: readonly StackVerdict[]): number {
  if (verdicts.some(({ status }) => status === "unread")) return EXIT.unread;
  return verdicts.some(({ status }) => status === "wrong") ? EXIT.found : EXIT.well;
}

function section({ stack, checks, domains }: StackVerdict): string[] {
  const lines = [
    ...checks.flatMap((check) => line(stack, check)),
    ...domains.flatMap(({ domain, checks: found }) =>
      found.flatMap((check) => line(domain, check)),
    ),
  ];
  return lines.length === 0 ? [] : [`Stack ${visible(stack)}`, ...lines];
}

/** What was read in DNS may hold anything. */
function line(where: string, { id, status, text, fix }: Check): string[] {
  if (status === "well" || status === "skipped") return [];
  const told = `  ${visible(where)}: ${status} (${id}): ${visible(text)}`;
  return fix === undefined ? [told] : [told, `    → ${visible(fix)}`];
}
