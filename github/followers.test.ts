/** Which stacks are told where a gateway changes. */
import { mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { followersOf, followersText } from "./followers.ts";

const files = {
  short: "config:\n  mail:gateway:\n    stack: gateway\n",
  long: "config:\n  mail:gateway:\n    stack: organization/mail/gateway\n",
  other: "config:\n  mail:gateway:\n    stack: organization/mail/gateway2\n",
  hosts: "config:\n  mail:gateway:\n    smtpIn: smtp-in.gateway.test\n",
  gateway: "config:\n  gateway:name: example\n",
  broken: "config:\n  mail:gateway: [\n",
};

test("the organisations' stacks that name the gateway's, by a short or a long name", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "followers-"));
  await mkdir(join(folder.path, "stacks"));
  for (const [stack, text] of Object.entries(files)) {
    await writeFile(join(folder.path, "stacks", `Pulumi.${stack}.yaml`), text);
  }
  expect(await followersOf(folder.path, ["gateway"])).toEqual(["long", "short"]);
  expect(await followersOf(folder.path, [])).toEqual([]);
});

test("names are code, and a long list is cut", () => {
  expect(followersText([])).toBe("");
  expect(followersText(["a_b_c"])).toContain("`a_b_c`");
  const many = Array.from({ length: 60 }, (_, index) => `stack-${index}`);
  expect(followersText(many)).toContain("`stack-49` and 10 more.");
});
