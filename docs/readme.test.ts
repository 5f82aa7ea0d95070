/** What the README shows is what there is. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { readTenantConfig } from "../config/read-tenant.ts";
import packageJson from "../package.json" with { type: "json" };

const root = fileURLToPath(new URL("..", import.meta.url));
const readme = readFileSync(`${root}/README.md`, "utf8");

test("the complete stack file is valid", async () => {
  const [, text = ""] = /```yaml\n(# yaml-language-server[^`]*)```/.exec(readme) ?? [];
  const { config }: { config: Record<string, unknown> } = parse(text);
  const values = Object.entries(config).map(([key, value]) => {
    return [key, typeof value === "string" ? value : JSON.stringify(value)];
  });
  const { organisation, domains } = await readTenantConfig({
    file: "README.md",
    values: Object.fromEntries(values),
    isSecret: () => false,
    outputsOf: () => Promise.reject(new Error("there is no other stack")),
  });
  expect(organisation).toBe("example");
  expect(domains).toMatchObject([{ name: "example.com", inbound: "border" }]);
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
  expect(named.filter((path) => !existsSync(`${root}/${path}`))).toEqual([]);
});
