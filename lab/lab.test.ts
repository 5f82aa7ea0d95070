import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";

const namespace = new URL("./namespace.mjs", import.meta.url).href;
const lab = fileURLToPath(new URL("./lab.ts", import.meta.url));
const program = `
  import { enterNamespace } from ${JSON.stringify(namespace)};
  process.exitCode = await enterNamespace([process.execPath, ${JSON.stringify(lab)}]);
`;

/** Starts the lab as `npm run lab` does, and waits until it has said everything. */
async function startLab() {
  let output = "";
  const running = execa(process.execPath, ["--input-type=module", "-e", program], {
    all: true,
    reject: false,
  });
  onTestFinished(() => {
    running.kill("SIGKILL");
  });
  running.all.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  await expect.poll(() => output).toContain("Ctrl-C ends the lab");
  return { running, output: () => output };
}

test("its shell has Pulumi and mail; Ctrl-C ends it; a killed one does not hinder the next", {
  timeout: 60_000,
}, async () => {
  const killed = await startLab();
  killed.running.kill("SIGKILL");

  const { running, output } = await startLab();
  const [, command = ""] = /^ +(.* bash --rcfile .*)$/m.exec(output()) ?? [];
  const { stdout } = await execa({
    input: "pulumi stack ls --json\nsend bob@contoso.test\n",
  })`sh -c ${`${command} -i 2>/dev/null`}`;
  expect(stdout).toMatch(/"name": "contoso",\s+"current": true/);
  expect(stdout).toMatch(/\ndelivered$/m);
  expect(output()).toContain("to bob@contoso.test arrived: contoso-test.mail.protection");

  running.kill("SIGINT");
  expect(await running).toMatchObject({ exitCode: 0 });
  expect(output()).toMatch(/Ending the lab\.\n$/);
});
