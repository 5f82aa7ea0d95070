/** The stand-ins for other providers' plugins, laid out as the engine looks for them. */
import { readFileSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";

/** The folder of the stand-in for each provider, and the package whose version it reports. */
const STAND_INS = {
  aws: { folder: "aws/provider", package: "@pulumi/aws" },
  cloudflare: { folder: "cloudflare/provider", package: "@pulumi/cloudflare" },
} as const;

/**
 * Puts the stand-ins into Pulumi's home. A provider whose plugin is missing there is looked for nowhere else:
 * the engine would end with an error.
 */
export async function layOutPlugins(home: string): Promise<void> {
  for (const [name, standIn] of Object.entries(STAND_INS)) {
    const version = packageVersion(standIn.package);
    const program = `pulumi-resource-${name}`;
    const folder = join(home, "plugins", `resource-${name}-v${version}`);
    await mkdir(folder, { recursive: true });
    const target = fileURLToPath(new URL(`${standIn.folder}/${program}`, import.meta.url));
    await symlink(target, join(folder, program));
  }
}

/** The installed version: a stand-in must report it, or the engine warns. */
export function packageVersion(name: string): string {
  const file = createRequire(import.meta.url).resolve(`${name}/package.json`);
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(file, "utf8"))).version;
}
