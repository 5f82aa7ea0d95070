import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { withFleetHosts } from "./fleet-hosts.ts";
import { renderHostFiles } from "./host-files.ts";
import { exampleHost } from "./testdata/example.ts";

test.for(renderHostFiles(exampleHost()))("the file $path", async ({ path, content }) => {
  await expect(content).toMatchFileSnapshot(`testdata/host${path}`);
});

const processor = { host: "127.0.0.1", port: 10_024 };
const other = exampleHost({ processor, nextHops: "private", maximumMessageBytes: 1_000_000 });

test.for(renderHostFiles(other).filter(({ path }) => /\/(main|master)\.cf$/.test(path)))(
  "with a processor and private next hops, the file $path",
  async ({ path, content }) => {
    await expect(content).toMatchFileSnapshot(`testdata/host-with-processor${path}`);
  },
);

test("no setting stands twice", () => {
  const files = [...renderHostFiles(exampleHost()), ...renderHostFiles(other)];
  for (const { content } of files.filter(({ path }) => path.endsWith("main.cf"))) {
    const names = [...content.matchAll(/^(\w+) =/gm)].map(([, name = ""]) => name);
    expect(names.filter((name, index) => names.indexOf(name) !== index)).toEqual([]);
  }
});

test("the fleet's lines come into /etc/hosts once, and what else is there stays", () => {
  const config = exampleHost();
  const before = readFileSync("/etc/hosts", "utf8");
  const once = withFleetHosts(before, config);
  expect(once).toContain(before.trimEnd());
  expect(once).toContain(
    "\n10.20.0.11 smtp-in.gateway.example\n10.20.1.11 smtp-in.gateway.example\n",
  );
  expect(withFleetHosts(once, config)).toBe(once);
  const alone = withFleetHosts(once, exampleHost({ peers: [] }));
  expect(alone).toBe(withFleetHosts(before, exampleHost({ peers: [] })));
  expect(alone).not.toContain("10.20.1.11");
});
