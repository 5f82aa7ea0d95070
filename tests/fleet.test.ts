/** Many stacks in one process, under the real engine: what happens to each does not depend on the others. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { emptyFleet, fleet, statuses } from "./fleet-command.ts";
import { mx, startTenantLab, type TenantLab, type TenantZone } from "./tenant.ts";

let lab: TenantLab;
const zones = new Map<string, TenantZone>();

beforeAll(async () => {
  lab = await startTenantLab();
  await emptyFleet(lab.project);
  for (const name of ["a", "b", "c"]) {
    const domain = `${name}.test`;
    zones.set(domain, await lab.addZone(domain, [mx(domain, 10, `mail.${domain}`)]));
  }
  // Nobody has registered the last: only the provider's preview can tell.
  for (const name of ["a", "b", "nowhere"]) {
    await lab.addStackFile(name, { organisation: name, domains: [{ name: `${name}.test`, ...sends }] });
  }
  await writeFile(stackFile("broken"), "config:\n  mail:organisation: [broken\n");
});

afterAll(() => lab[Symbol.asyncDispose]());

const sends = { spf: { base: "v=spf1 -all" } };

test("a preview says of every stack what would happen, and leaves nothing behind", async () => {
  const before = await readFile(stackFile("a"), "utf8");
  const { exitCode, text } = await fleet(lab.project, ["preview", "--json", file("preview.json")]);
  expect(await statuses(file("preview.json"))).toEqual({
    a: "changed",
    b: "changed",
    broken: "failed",
    nowhere: "failed",
  });
  expect(text).toContain("stacks/Pulumi.broken.yaml: line 3, column 1");
  expect(text).toContain("domain-not-delegated");
  expect(exitCode).toBe(1);
  expect(JSON.parse(await stacks())).toEqual([]);
  expect(await readFile(stackFile("a"), "utf8")).toBe(before);
});

test("up does what it can, and says why not of the others; a second time there is nothing to do", async () => {
  const first = await fleet(lab.project, ["up", "--json", file("up.json")]);
  expect(first.text).toContain("4 stacks: 2 done, 2 failed.");
  expect(first.exitCode).toBe(1);
  expect(mxOf("a.test")).toEqual(["smtp-in.gateway.test"]);
  expect(mxOf("b.test")).toEqual(["smtp-in.gateway.test"]);
  const again = await fleet(lab.project, ["up", "--stack", "[ab]"]);
  expect(again.text).toContain("2 stacks: 2 unchanged. Nothing was changed.");
  expect(again.exitCode).toBe(0);
});

function file(name: string): string {
  return join(lab.world.directory, name);
}

function stackFile(stack: string): string {
  return join(lab.project.directory, "stacks", `Pulumi.${stack}.yaml`);
}

/** The stacks that the backend has. */
async function stacks(): Promise<string> {
  return (await lab.project.run("a", ["stack", "ls", "--json"])).stdout;
}

function mxOf(domain: string): string[] {
  const records = zones.get(domain)?.snapshot() ?? [];
  return records.filter(({ type }) => type === "MX").map(({ content = "" }) => content);
}
