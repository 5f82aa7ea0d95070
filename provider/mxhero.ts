/** The provider `mxhero` as the protocol serves it, but for its kinds of resources. */
import { readFileSync } from "node:fs";
import { z } from "zod";
import type { Provider } from "./protocol/provider.ts";
import type { Kinds } from "./protocol/resource-calls.ts";
import { configurationSchema, readSettings } from "./settings.ts";

/** The provider with these kinds of resources. */
export function mxheroProvider(kinds: Kinds): Provider {
  return {
    name: "mxhero",
    version: packageVersion(),
    kinds,
    configuration: { schema: configurationSchema, read: (configured) => readSettings(configured) },
  };
}

function packageVersion(): string {
  const text = readFileSync(new URL("../package.json", import.meta.url), "utf8");
  return z.object({ version: z.string() }).parse(JSON.parse(text)).version;
}
