/**
 * Writes `config/tenant.schema.json`, which the stack files name for editors.
 * `--check` writes nothing and fails where the file is out of date.
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { stackFileSchema } from "./stack-file-schema.ts";

const file = new URL("tenant.schema.json", import.meta.url);
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });
const fresh = `${JSON.stringify(stackFileSchema(), null, 2)}\n`;

if (!values.check) {
  await writeFile(file, fresh);
} else if ((await readFile(file, "utf8").catch(() => "")) !== fresh) {
  console.error(
    "config/tenant.schema.json is out of date. Run: npx node config/generate-schema.ts",
  );
  process.exitCode = 1;
}
