/** STUB of FLEET */
import type { StackReport } from "./stack-report.ts";
export function renderTerminal(
  reports: readonly StackReport[],
  _o: { isColoured?: boolean } = {},
): string {
  return reports
    .map(
      ({ stack, status, faults }) =>
        `${stack}: ${status}${faults.map((f) => `\n  ${f.problem}`).join("")}`,
    )
    .join("\n");
}
