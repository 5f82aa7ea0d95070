/**
 * Loads Cloudflare's SDK as one file.
 *
 * The SDK has a module for each of Cloudflare's products, and loads all 1,166 to ask for one: 0.6 s of a core at
 * every run. What the resources use of it is 80 kB. esbuild takes that out once, in 0.4 s, and the cache folder keeps
 * it for the next run. (The SDK's `createClient` of "cloudflare/tree-shakable" is for bundlers: loaded as it is, it
 * loads all modules, too.)
 */
import { createHash, randomUUID } from "node:crypto";
import { access, constants, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { isAbsolute, join } from "node:path";
import { pathToFileURL } from "node:url";
import { VERSION } from "cloudflare/version";
import { cacheFolder } from "./cache-folder.ts";

export type CloudflareSdk = typeof import("./cloudflare-sdk.ts");

const entry = join(import.meta.dirname, "cloudflare-sdk.ts");

let loaded: Promise<CloudflareSdk> | undefined;

/** The SDK of this process, kept in `cloudflare` of the cache folder. */
export function cloudflareSdk(): Promise<CloudflareSdk> {
  loaded ??= loadCloudflareSdk(join(cacheFolder(), "cloudflare"));
  return loaded;
}

/** @param cache a folder, made if need be */
export async function loadCloudflareSdk(cache: string): Promise<CloudflareSdk> {
  return (await loadBundle(cache)) ?? import("./cloudflare-sdk.ts");
}

/** `undefined` where no folder can be written, or esbuild is not installed: the SDK works as it is, slower. */
async function loadBundle(cache: string): Promise<CloudflareSdk | undefined> {
  try {
    const file = await bundledSdk(cache);
    const sdk: unknown = await import(pathToFileURL(file).href).catch(() => undefined);
    if (isSdk(sdk)) return sdk;
    // Damaged, as by a full disk: the next run makes it anew.
    await rm(file, { force: true });
  } catch {
    return undefined;
  }
  return undefined;
}

function isSdk(module: unknown): module is CloudflareSdk {
  if (typeof module !== "object" || module === null) return false;
  return "createCloudflare" in module && "APIError" in module;
}

/** The file's name says what it was made of: another SDK, or another way to make it, is another file. */
async function bundledSdk(cache: string): Promise<string> {
  // Relative, it would be a folder of the checkout, whose files someone else may have written.
  if (!isAbsolute(cache)) throw new Error(`The cache folder ${cache} is not absolute.`);
  const hash = createHash("sha256");
  for (const source of [entry, import.meta.filename]) hash.update(await readFile(source));
  const file = join(cache, `${VERSION}-${hash.digest("hex").slice(0, 16)}.mjs`);
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (!isThere) await writeBundle(cache, file);
  return file;
}

/** Several processes may do so at once: each file is whole before it has its name. */
async function writeBundle(cache: string, file: string): Promise<void> {
  await mkdir(cache, { recursive: true, mode: 0o700 });
  await access(cache, constants.W_OK);
  const temporary = `${file}.${randomUUID()}`;
  try {
    await writeFile(temporary, await bundleSdk(), { flush: true });
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function bundleSdk(): Promise<string> {
  const { build } = await import("esbuild");
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "esm",
    // The SDK says its class's name to the API; errors have theirs.
    keepNames: true,
    logLevel: "silent",
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error("esbuild wrote no file.");
  return file.text;
}
