import { availableParallelism } from "node:os";
import { relative } from "node:path";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** What takes longest first, so that at the end no worker is alone with a file of minutes. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((one, other) => duration(other) - duration(one));
  }
}

/** As a rank: the crash matrix takes minutes a file, other tests of `tests/` up to minutes, the rest seconds. */
function duration({ moduleId }: TestSpecification): number {
  const file = relative(import.meta.dirname, moduleId);
  if (file.startsWith("tests/crash-")) return 2;
  return file.startsWith("tests/") ? 1 : 0;
}

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    pool: "forks",
    // Most of a test's time is waiting for processes and name servers; one worker a core would leave some idle.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongestFirst },
    // What is polled for without a time of its own comes when the machine gets round to it.
    expect: { requireAssertions: true, poll: { timeout: 30_000 } },
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
});
