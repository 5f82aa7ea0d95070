/** Vitest reporter that writes how many tests passed and failed to the file TEST_RESULT_FILE. */
import { writeFileSync } from "node:fs";
import type { Reporter, SerializedError, TestModule } from "vitest/node";

export default class CountReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly SerializedError[]): void {
    const file = process.env["TEST_RESULT_FILE"];
    if (file === undefined) throw new Error("TEST_RESULT_FILE is not set: run `npm test`.");
    const counts = modules.map(count);
    const passed = sum(counts.map((module) => module.passed));
    const failed = sum(counts.map((module) => module.failed)) + unhandledErrors.length;
    writeFileSync(file, JSON.stringify({ passed, failed }));
  }
}

/** A module that failed outside its tests, while it loaded or in a hook, counts as one failure. */
function count(module: TestModule): { passed: number; failed: number } {
  const states = [...module.children.allTests()].map((test) => test.result().state);
  const failed = states.filter((state) => state === "failed").length;
  return {
    passed: states.filter((state) => state === "passed").length,
    failed: failed === 0 && module.state() === "failed" ? 1 : failed,
  };
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
