/** The reports for a terminal. Pure. */
import type { StackReport } from "./stack-report.ts";

export interface TerminalOptions {
  /** @default false */
  readonly isColoured?: boolean;
}

export function renderTerminal(
  reports: readonly StackReport[],
  _options: TerminalOptions = {},
): string {
  return reports.map(({ stack, status }) => `${stack}: ${status}`).join("\n");
}
