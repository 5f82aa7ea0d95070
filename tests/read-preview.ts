/** A preview of the real engine, as the report reads it, without what differs from run to run. */

import type { RunOptions } from "../lab/pulumi.ts";
import { type PreviewOutcome, PreviewReader, type StackPreview } from "../report/preview-reader.ts";
import type { TenantStack } from "./tenant.ts";

/** @param args the command */
export async function readPreview(
  stack: Pick<TenantStack, "run">,
  args: readonly string[] = ["preview"],
  options: RunOptions = {},
): Promise<StackPreview> {
  const env = { ...options.env, PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true" };
  const run = await stack.run([...args, "--json"], { ...options, env });
  return readEvents(run.stdout, { exitCode: run.exitCode, text: run.stderr.trim() });
}

/** @param stdout an event each line */
export function readEvents(stdout: string, outcome: PreviewOutcome): StackPreview {
  const reader = new PreviewReader();
  const lines = stdout.split("\n").filter((line) => line.startsWith("{"));
  for (const line of lines) reader.see(JSON.parse(line));
  return reader.end(outcome);
}

/** The text of a file that is the same for every run: times, claims and what is made of them are not. */
export function asGolden(preview: StackPreview): string {
  const text = JSON.stringify(preview, null, 2)
    .replaceAll(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, "2026-01-01T00:00:00.000Z")
    .replaceAll(/"digest": "[0-9a-f]{64}"/g, `"digest": "${"0".repeat(64)}"`)
    .replaceAll(/\(now [0-9a-f]{32}\)/g, "(now 0)")
    .replaceAll(/\b127\.1\d\d\./g, "127.101.");
  return `${text}\n`;
}
