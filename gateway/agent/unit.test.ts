/** The agent's systemd unit, looked at by systemd itself. */
import { execFile } from "node:child_process";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const run = promisify(execFile);
const unit = fileURLToPath(new URL("mxhero-gateway.service", import.meta.url));

test("the sandbox leaves little open", async () => {
  const args = ["security", "--offline=true", "--threshold=20", "--no-pager", unit];
  const { stdout } = await run("systemd-analyze", args);
  const [, exposure] = /exposure level for mxhero-gateway\.service: ([\d.]+)/.exec(stdout) ?? [];
  // 0 to 10; systemd calls what is up to 2.0 "OK".
  expect(Number(exposure)).toBeLessThanOrEqual(2);
});

test("systemd understands every line", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "unit-"));
  const file = join(directory.path, "mxhero-gateway.service");
  // Node lies elsewhere on this machine, and systemd looks whether it is there.
  const text = (await readFile(unit, "utf8")).replaceAll(
    "/opt/mxhero-gateway/node",
    process.execPath,
  );
  await writeFile(file, text);
  const { stderr } = await run("systemd-analyze", ["verify", "--man=no", file]);
  expect(stderr).toBe("");
});

test("no secret is in the command line or the environment", async () => {
  const text = await readFile(unit, "utf8");
  expect(text).not.toMatch(/^(Environment|SetCredential|LoadCredential)/m);
  expect(text.match(/^ExecStart=(.*)$/m)?.[1]).toMatch(/agent\.js run$/);
});
