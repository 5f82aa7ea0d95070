/** Every link of the partner's README leads somewhere in the partner's repository, where this project is a submodule. */
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";

const partner = new URL("../examples/partner/", import.meta.url);
const submodule = "pulumi-mxhero/";

test("every link leads to a file", () => {
  const text = readFileSync(new URL("README.md", partner), "utf8");
  const links = [...text.matchAll(/\]\((?<file>[^)#]+)[^)]*\)/g)].map(
    ({ groups }) => groups?.["file"],
  );
  expect(links.length).toBeGreaterThan(2);
  const lost = links.filter((file = "") => {
    const isOfProject = file.startsWith(submodule);
    const root = isOfProject ? new URL("..", import.meta.url) : partner;
    const target = new URL(isOfProject ? file.slice(submodule.length) : file, root);
    return !isWithin(target, root) || !existsSync(fileURLToPath(target));
  });
  expect(lost).toEqual([]);
});

function isWithin({ href }: URL, root: URL): boolean {
  return href.startsWith(root.href);
}
