/** What is told of a fork's stack files: every fault, and nothing that breaks out. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { BODY_LIMIT, marked } from "./own-text.ts";
import { type StackFiles, stackFiles, stackFilesText } from "./stack-files-text.ts";

const commit = "0123456789abcdef0123456789abcdef01234567";

function oneFile(faults: StackFiles[number]["faults"]): StackFiles {
  const file = "stacks/Pulumi.contoso.yaml";
  return [{ stack: "contoso", file, kind: "tenant", faults }];
}

test("it says of each fault where, what and how to go on", () => {
  const where = "stacks/Pulumi.contoso.yaml: config mail:domains[0].inbound";
  const fault = { code: "value-unknown", where, problem: "It is no flow.", fix: "Write border." };
  const text = stackFilesText(oneFile([fault]), commit);
  expect(text).toContain("1 changed, 1 of them with faults; commit 0123456789");
  expect(text).toContain(`- ${where}\n  It is no flow.\n  Write border.`);
  expect(text).toContain("Nobody has seen what would happen to any mail");
});

test("it says where no fault was found, and never that all is well", () => {
  const text = stackFilesText(oneFile([]), commit);
  expect(text).toContain("no fault was found");
  expect(text).toContain("Nobody has seen what would happen to any mail");
});

const nasty = fc
  .array(
    fc.oneof(fc.constantFrom("`", "```", "\n", "@everyone", "<img src=x>", "-->"), fc.string()),
  )
  .map((parts) => parts.join(""));

test("whatever a fork has written, it stays inside its code block", () => {
  fc.assert(
    fc.property(nasty, nasty, nasty, (where, problem, fix) => {
      const text = stackFilesText(oneFile([{ code: "x", where, problem, fix }]), "<b>@ann</b>");
      const [head = "", block = ""] = text.split(/\n\n(?=`{3,}text\n)/);
      expect(head).not.toMatch(/@|<|`/);
      const [first = "", ...lines] = block.split("\n");
      const fence = first.replace("text", "");
      expect(lines.findIndex((line) => line.trim().startsWith(fence))).toBe(lines.length - 1);
    }),
  );
});

test("what is too long for a comment is cut to the files' names", () => {
  const fault = { code: "x", problem: "p".repeat(9_000), fix: "f" };
  const text = stackFilesText(oneFile(Array.from({ length: 100 }, () => fault)), commit);
  expect(marked("mail-path report", text).length).toBeLessThanOrEqual(BODY_LIMIT);
  expect(text).toContain("Too many faults for a comment.");
  expect(text).toContain("stacks/Pulumi.contoso.yaml");
});

test("data of another form are refused", () => {
  expect(stackFiles.safeParse([{ stack: "contoso", markdown: "# All is well" }]).success).toBe(
    false,
  );
});
