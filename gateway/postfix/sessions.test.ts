import { expect, test } from "vitest";
import { MARK, sessionsSource } from "./sessions.ts";

test("the mark comes last: postmap may be killed after any line, and a mark without its answer stays", () => {
  for (const mark of ["2026-01-01T00:00:00.000Z", undefined]) {
    const keys = sessionsSource(mark)
      .trimEnd()
      .split("\n")
      .map((line) => line.split("\t")[0]);
    expect(keys).toHaveLength(2);
    expect(keys.at(-1)).toBe(MARK);
  }
});
