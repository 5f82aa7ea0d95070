/** A stack's file that cannot be read keeps no other one from being read. */
import { mkdir, mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { stringify } from "yaml";
import { findStackFiles } from "./stack-files.ts";

const domain = {
  name: "example.com",
  mailSystem: "other",
  server: "mail.example.com",
  inbound: "border",
  outbound: "standard",
};
const sound = stringify({
  config: {
    "mail:organisation": "example",
    "mail:gateway": { stack: "organization/mail/gateway" },
    "mail:domains": [domain],
  },
});

test("a name with a star in front, without quotes", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "stack-files-"));
  await mkdir(join(folder.path, "stacks"));
  const write = (stack: string, text: string) =>
    writeFile(join(folder.path, `stacks/Pulumi.${stack}.yaml`), text);
  await write("broken", sound.replace("example.com", "*.example.com"));
  await write("sound", sound);
  const files = await findStackFiles(folder.path);
  expect(files.map(({ stack, faults }) => [stack, faults.map(({ code }) => code)])).toEqual([
    ["broken", ["stack-file-malformed"]],
    ["sound", []],
  ]);
});
