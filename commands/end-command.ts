/** How every command ends: with the exit code that it gives, or that of a failure and what went wrong. */
import { CommanderError } from "commander";
import { visibleLines } from "../report/visible-text.ts";

/** @param failed the exit code for a wrong call, and for anything that is thrown */
export async function endCommand(
  run: (args: readonly string[]) => Promise<number>,
  failed: number,
): Promise<void> {
  try {
    process.exitCode = await run(process.argv.slice(2));
  } catch (error) {
    // Commander has printed its own messages already; help is no failure.
    const helped = error instanceof CommanderError && error.exitCode === 0;
    if (!(error instanceof CommanderError)) {
      console.error(error instanceof Error ? visibleLines(error.message) : error);
    }
    process.exitCode = helped ? 0 : failed;
  }
}
