/**
 * Writes `config/tenant.schema.json` and `config/gateway.schema.json`, which the stack files name for editors.
 * `--check` writes nothing and fails where a file is out of date.
 */
import { readFile, writeFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { gatewayFileSchema, stackFileSchema } from "./stack-file-schema.ts";

const schemas = {
  "tenant.schema.json": stackFileSchema(),
  "gateway.schema.json": gatewayFileSchema(),
};
const { values } = parseArgs({ options: { check: { type: "boolean", default: false } } });

for (const [name, schema] of Object.entries(schemas)) {
  const file = new URL(name, import.meta.url);
  const fresh = `${JSON.stringify(schema, null, 2)}\n`;
  if (!values.check) {
    await writeFile(file, fresh);
  } else if ((await readFile(file, "utf8").catch(() => "")) !== fresh) {
    console.error(`config/${name} is out of date. Run: npx node config/generate-schema.ts`);
    process.exitCode = 1;
  }
}
