/** The bundle of the slots as a file on this machine, made anew where it is another one. */
import { mkdir, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { BundleFile } from "../components/gateway-bundle.ts";
import { type Architecture, makeBundle } from "../gateway/bundle.ts";
import { cacheFolder } from "../provider/cache-folder.ts";

/** Kept in the cache folder, so that the next run has it. */
export async function bundleFile(architecture: Architecture): Promise<BundleFile> {
  const cache = join(cacheFolder(), "bundle");
  const { archive, sha256 } = await makeBundle(architecture, cache);
  const path = join(cache, `${sha256}.tar.gz`);
  const isThere = await stat(path).then(
    ({ size }) => size === archive.length,
    () => false,
  );
  if (!isThere) {
    await mkdir(cache, { recursive: true });
    await writeFile(`${path}.${process.pid}`, archive);
    await rename(`${path}.${process.pid}`, path);
  }
  return { path, sha256 };
}
