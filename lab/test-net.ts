/** The addresses of the world that a test file may start: each of vitest's workers has its own. */
export const testNet = `127.${100 + Number(process.env["VITEST_POOL_ID"] ?? 1)}`;
