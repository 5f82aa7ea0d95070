/** Expressions as the runner of workflows reads them. */
import { expect, test } from "vitest";
import { evaluate, fill, fillText, isMet } from "./expression.ts";

const contexts = {
  github: { event: { before: "a1", number: 7 }, repository: "example/mail" },
  needs: { find: { outputs: { tenants: '["contoso"]' }, result: "success" } },
};
const well = { succeeded: true, failed: false };
const ill = { succeeded: false, failed: true };

test("one expression as a whole keeps its type, any other text is filled in", () => {
  expect(fill("${{ fromJSON(needs.find.outputs.tenants) }}", contexts)).toEqual(["contoso"]);
  expect(fill("${{ github.event.number }}", contexts)).toBe(7);
  expect(fill("up-${{ github.event.number }}-${{ github.repository }}", contexts)).toBe(
    "up-7-example/mail",
  );
});

test("what is not there is empty", () => {
  expect(fillText("${{ needs.other.outputs.tenants }}", contexts)).toBe("");
  expect(evaluate("needs.other.result == 'success'", contexts)).toBe(false);
});

test.each([
  [undefined, true, false],
  ["github.event.number == 7", true, false],
  ["github.event.number == 8", false, false],
  ["${{ !cancelled() }}", true, true],
  ["always()", true, true],
  ["failure()", false, true],
  ["!failure() && !cancelled()", true, false],
])("the condition %s", (condition, afterSuccess, afterFailure) => {
  expect(isMet(condition, contexts, well)).toBe(afterSuccess);
  expect(isMet(condition, contexts, ill)).toBe(afterFailure);
});
