import { expect, test } from "vitest";
import { judgeGateway } from "./gateway-answer.ts";

function refused(text: string, atRecipient = true) {
  const [code = "", status = ""] = text.split(" ");
  return { kind: "refused", atRecipient, reply: { code: Number(code), status, text } } as const;
}

test("a gateway that accepts takes the domain's mail", () => {
  expect(judgeGateway({ kind: "accepted" }, false)).toEqual({ kind: "takes" });
});

test.each([
  ["an unknown domain", refused("554 5.7.1 Relay access denied")],
  ["a refusal before the recipient", refused("550 5.7.1 no", false)],
])("%s is refused, whatever the recipient", (_what, answer) => {
  expect(judgeGateway(answer, false)).toEqual({ kind: "refuses" });
  expect(judgeGateway(answer, true)).toEqual({ kind: "refuses" });
});

test("an unknown mailbox counts only where it is known to exist", () => {
  const answer = refused("550 5.1.1 User unknown");
  expect(judgeGateway(answer, true)).toEqual({ kind: "refuses" });
  expect(judgeGateway(answer, false)).toMatchObject({ kind: "unclear" });
});

test.each([
  [undefined, "no address"],
  [{ kind: "failed" }, "could not be asked"],
  [{ kind: "deferred" }, "put the question off"],
] as const)("%o shows nothing", (answer, why) => {
  expect(judgeGateway(answer, true)).toMatchObject({
    kind: "unclear",
    why: expect.stringContaining(why),
  });
});
