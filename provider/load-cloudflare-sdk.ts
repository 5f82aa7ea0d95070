/**
 * Loads Cloudflare's SDK as one file.
 *
 * The SDK has a module for each of Cloudflare's products, and loads all 1,166 to ask for one: 0.6 s of a core at
 * every run. What the resources use of it is 75 kB. esbuild takes that out once, in 0.4 s, and the cache folder keeps
 * it for the next run.
 *
 * @see https://github.com/cloudflare/cloudflare-typescript#readme, "Tree shaking": it is for bundlers
 */
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { VERSION } from "cloudflare/version";

export type CloudflareSdk = typeof import("./cloudflare-sdk.ts");

const entry = join(import.meta.dirname, "cloudflare-sdk.ts");

let loaded: Promise<CloudflareSdk> | undefined;

/** The SDK of this process, kept in `pulumi-mxhero/cloudflare` of `$XDG_CACHE_HOME` or `~/.cache`. */
export function cloudflareSdk(): Promise<CloudflareSdk> {
  const base = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  loaded ??= loadCloudflareSdk(join(base, "pulumi-mxhero", "cloudflare"));
  return loaded;
}

/** @param cache a folder, made if need be */
export async function loadCloudflareSdk(cache: string): Promise<CloudflareSdk> {
  try {
    const sdk: CloudflareSdk = await import(pathToFileURL(await bundledSdk(cache)).href);
    return sdk;
  } catch {
    // A folder that cannot be written, or an installation without esbuild: it works all the same, slower.
    return import("./cloudflare-sdk.ts");
  }
}

/** The file's name says what it was made of: another version of the SDK, or of its entry, makes another one. */
async function bundledSdk(cache: string): Promise<string> {
  const hash = createHash("sha256").update(await readFile(entry));
  const file = join(cache, `${VERSION}-${hash.digest("hex").slice(0, 16)}.mjs`);
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (isThere) return file;
  await mkdir(cache, { recursive: true });
  await writeFile(`${file}.${process.pid}`, await bundleSdk());
  await rename(`${file}.${process.pid}`, file);
  return file;
}

/** Names are kept, so that stack traces can be read. */
async function bundleSdk(): Promise<string> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "esm",
    logLevel: "silent",
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error("esbuild wrote no file.");
  return file.text;
}
