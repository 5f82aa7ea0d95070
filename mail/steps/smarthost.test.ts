import { execFileSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { smarthostBlocks } from "./smarthost.ts";
import { FACTS } from "./testdata/facts.ts";

/** Runs lines for `/etc/postfix` with another folder; nothing runs there that could be reloaded. */
function runIn(folder: string, lines: readonly string[]): string {
  const here = lines
    .filter((line) => line !== "postfix reload")
    .map((line) =>
      line.replaceAll("/etc/postfix", folder).replace(/^(postconf|postmap)/, `$1 -c ${folder}`),
    );
  return execFileSync("/bin/sh", ["-ec", here.join("\n")], { encoding: "utf8" });
}

test("the lines for Postfix set the smart host of the domain, and their undo takes it out", async () => {
  const folder = await mkdtemp(join(tmpdir(), "smarthost-"));
  try {
    await writeFile(join(folder, "main.cf"), "compatibility_level = 3.6\n");
    await writeFile(join(folder, "master.cf"), "");
    const [postfix] = smarthostBlocks(FACTS);
    expect(postfix?.where).toContain("Postfix");
    // The map before, and what is found in it afterwards.
    expect(runIn(folder, postfix?.lines ?? [])).toBe("\n[smtp-relay.gateway.example]:25\n");
    expect(await readFile(join(folder, "main.cf"), "utf8")).toContain(
      `sender_dependent_relayhost_maps = texthash:${folder}/gateway_senders`,
    );
    await writeFile(join(folder, "gateway_senders"), "@other.example [a.example]\n", { flag: "a" });
    runIn(folder, postfix?.undo ?? []);
    expect(await readFile(join(folder, "gateway_senders"), "utf8")).toBe(
      "@other.example [a.example]\n",
    );
  } finally {
    await rm(folder, { recursive: true });
  }
});
