import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["**/*.test.ts"],
    pool: "forks",
    expect: { requireAssertions: true },
    testTimeout: 20_000,
  },
});
