/** What the engine prints: events and texts. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { readEngineLine } from "./engine-line.ts";

test("an event is read as it is", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.json()), (event) => {
      const line = JSON.stringify(event);
      expect(readEngineLine(line)).toEqual({ kind: "event", event: JSON.parse(line) });
    }),
  );
});

test.each(["{resource} is pending", '{"sequence": 1, "summ', "{", "", "error: no stack"])(
  "%j is no event, and stays a text",
  (line) => {
    expect(readEngineLine(line)).toEqual({ kind: "text", text: line });
  },
);

test("no line breaks a run off", () => {
  const lines = fc.oneof(
    fc.string(),
    fc.string().map((rest) => `{${rest}`),
  );
  fc.assert(
    fc.property(lines, (line) => {
      const read = readEngineLine(line);
      expect(read.kind === "text" ? read.text : line).toBe(line);
    }),
  );
});
