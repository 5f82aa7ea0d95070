/** What the README shows is what there is. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { gatewayWithRoutes, stackValues } from "../config/example-tenant.ts";
import { readTenantConfig } from "../config/read-tenant.ts";
import { planTenant } from "../config/tenant-plan.ts";
import { domainSteps, formatStep } from "../mail/steps/index.ts";
import packageJson from "../package.json" with { type: "json" };

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(`${root}/README.md`, "utf8");

test("the complete stack file is valid", async () => {
  const [, text = ""] = /```yaml\n(# yaml-language-server[^`]*)```/.exec(readme) ?? [];
  const { config }: { config: Record<string, unknown> } = parse(text);
  const { organisation, domains } = await readTenantConfig({
    file: "README.md",
    values: stackValues(config),
    isSecret: () => false,
    outputsOf: () => Promise.reject(new Error("there is no other stack")),
  });
  expect(organisation).toBe("example");
  expect(domains).toMatchObject([{ name: "example.com", inbound: "border" }]);
});

test("the stack file for a gateway of one's own is valid", async () => {
  const [, text = ""] = /```yaml\n(config:\n[^`]*)```/.exec(readme) ?? [];
  const { config }: { config: Record<string, unknown> } = parse(text);
  const values = { ...config, "mail:relayPasswords": { filter: "secret" } };
  const tenant = await readTenantConfig({
    file: "README.md",
    values: stackValues(values),
    isSecret: (key) => key === "mail:relayPasswords",
    outputsOf: () => Promise.resolve(gatewayWithRoutes),
  });
  expect(planTenant(tenant).domains).toMatchObject([
    { name: "example.com", route: { server: "mail.example.com", rcptLookup: "probe" } },
  ]);
});

test("the step that it shows is one of the example's", async () => {
  const { config }: { config: Record<string, unknown> } = parse(
    readFileSync(`${root}/stacks/Pulumi.contoso.yaml`, "utf8"),
  );
  const tenant = await readTenantConfig({
    file: "Pulumi.contoso.yaml",
    values: stackValues(config),
    isSecret: () => false,
    outputsOf: () => Promise.reject(new Error("there is no other stack")),
  });
  const [contoso] = planTenant(tenant).domains;
  const { offboarding = [] } = contoso ? domainSteps(contoso.steps) : {};
  const steps = offboarding.map((step, index) => formatStep(step, index + 1).join("\n"));
  const [, shown] = /one step of `contoso.test`:\n\n```text\n([^`]*)\n```/.exec(readme) ?? [];
  expect(steps).toContain(shown);
});

test("every npm script that it names exists", () => {
  const named = [...readme.matchAll(/npm run ([a-z]+)/g)].map(([, name = ""]) => name);
  expect(named).toContain("demo");
  expect(Object.keys(packageJson.scripts)).toEqual(expect.arrayContaining(named));
});

test("every file and folder that it names exists", () => {
  const links = [...readme.matchAll(/\]\(([^):]+)\)/g)].map(([, path = ""]) => path);
  const folders = [...readme.matchAll(/^\| `([a-z]+\/)`/gm)].map(([, path = ""]) => path);
  const named = [...links, ...folders];
  expect(named).toContain("docs/refusals.md");
  expect(named).toContain("commands/");
  expect(named.filter((path) => !isThere(path))).toEqual([]);
});

/** A path, and behind `#` a heading as GitHub links to it: in lower case, without punctuation, spaces as hyphens. */
function isThere(link: string): boolean {
  const [name = "", heading] = link.split("#");
  const path = `${root}/${name === "" ? "README.md" : name}`;
  if (heading === undefined || !existsSync(path)) return existsSync(path);
  const headings = readFileSync(path, "utf8").matchAll(/^#+ (.*)$/gm);
  return [...headings].some(([, text = ""]) => anchorOf(text) === heading);
}

function anchorOf(heading: string): string {
  const plain = heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "");
  return plain.replaceAll(" ", "-");
}
