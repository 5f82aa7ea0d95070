/** Which stacks a change touches. */
import { expect, test } from "vitest";
import { touchedStacks } from "./changed-stacks.ts";

function touched(...files: readonly string[]) {
  return touchedWith([], files);
}

/** @param present the stacks that have a file */
function touchedWith(present: readonly string[], files: readonly string[]) {
  const { stacks, removed } = touchedStacks(
    files.map((file) => ({ file: file.replace(/^-/, ""), isRemoved: file.startsWith("-") })),
    new Set(present),
  );
  return { stacks: stacks === "all" ? stacks : [...stacks], removed: [...removed] };
}

test("a stack's file touches that stack, and a removed one lets it leave", () => {
  expect(touched("stacks/Pulumi.contoso.yaml", "-stacks/Pulumi.fabrikam.eu.yaml")).toEqual({
    stacks: ["contoso"],
    removed: ["fabrikam.eu"],
  });
});

test("a file that has left git and is still there lets nobody leave", () => {
  expect(touchedWith(["contoso"], ["-stacks/Pulumi.contoso.yaml"])).toEqual({
    stacks: ["contoso"],
    removed: [],
  });
});

test("a file in a folder below the stack files is no stack's", () => {
  const { removed } = touched("-stacks/archive/Pulumi.contoso.yaml");
  expect(removed).toEqual([]);
});

test.each([
  "index.ts",
  "Pulumi.yaml",
  "package-lock.json",
  "stacks/tenant.ts",
  "mail/spf/edit.ts",
  "provider/main.ts",
  "pulumi-mxhero",
  "other/Pulumi.contoso.yaml",
])("%s is of the program, so all stacks are touched", (file) => {
  expect(touched(file, "stacks/Pulumi.contoso.yaml").stacks).toBe("all");
});

test.each([
  "README.md",
  "stacks/README.md",
  "CODEOWNERS",
  "docs/fleet.md",
  "tests/fleet.test.ts",
  "mail/spf/edit.test.ts",
  "mail/steps/testdata/google-hosted.txt",
  "lab/demo.ts",
  ".github/workflows/up.yml",
  ".gitignore",
  "commands/verify.ts",
  "tools/check.mjs",
])("%s touches none", (file) => {
  expect(touched(file)).toEqual({ stacks: [], removed: [] });
});
