import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    pool: "forks",
    // Most of a test's time is waiting for processes and name servers; vitest alone would leave a core idle.
    maxWorkers: "100%",
    expect: { requireAssertions: true },
    testTimeout: 20_000,
  },
});
