/**
 * What a gateway host is given: the agent as one file, and the Node that runs it, in one archive.
 *
 * The same sources make the same bytes, so that the archive's hash names a version.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import packageJson from "../package.json" with { type: "json" };
import { TAR_END, tarEntries } from "./tar.ts";

/** What AWS calls the processors of an instance, and what Node calls them. */
export const ARCHITECTURES = ["arm64", "x64"] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

export interface Bundle {
  /** A gzipped tar archive: `agent.js`, `node`, `mxhero-gateway.service`. */
  readonly archive: Buffer;
  /** Of the archive: lower-case hex. */
  readonly sha256: string;
}

const here = dirname(fileURLToPath(import.meta.url));

/** The agent as one ES module. Names are kept, so that stack traces can be read. */
export async function bundleAgent(): Promise<string> {
  const { outputFiles } = await build({
    absWorkingDir: here,
    entryPoints: ["agent/main.ts"],
    bundle: true,
    write: false,
    platform: "node",
    target: "node24",
    format: "esm",
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: false,
    legalComments: "none",
    // Some of the AWS SDK's dependencies are CommonJS, and ask for Node's own modules by `require`.
    banner: {
      js: 'import{createRequire as mxheroRequire}from"node:module";const require=mxheroRequire(import.meta.url);',
    },
  });
  const [file] = outputFiles;
  if (file === undefined) throw new Error("esbuild wrote no file.");
  return file.text;
}

/**
 * Makes the archive for an architecture.
 *
 * @param cache a folder where Node is kept, packed, for the next time: packing it takes 10 s
 */
export async function makeBundle(architecture: Architecture, cache: string): Promise<Bundle> {
  const [agent, unit, node] = await Promise.all([
    bundleAgent(),
    readFile(join(here, "agent", "mxhero-gateway.service")),
    readPackedNode(architecture, cache),
  ]);
  const own = [
    { name: "agent.js", mode: 0o644, content: Buffer.from(agent) },
    { name: "mxhero-gateway.service", mode: 0o644, content: unit },
  ];
  // Gzip files that follow one another are one (RFC 1952 section 2.2).
  const archive = Buffer.concat([gzipSync(tarEntries(own)), node]);
  return { archive, sha256: createHash("sha256").update(archive).digest("hex") };
}

/** Node as the end of an archive. */
async function readPackedNode(architecture: Architecture, cache: string): Promise<Buffer> {
  const name = `node-linux-${architecture}`;
  const file = join(cache, `${name}-${pinnedVersion(name)}.tar.gz`);
  try {
    return await readFile(file);
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "ENOENT")) throw error;
  }
  const content = await readNode(architecture, cache);
  const entry = tarEntries([{ name: "node", mode: 0o755, content }]);
  const packed = gzipSync(Buffer.concat([entry, TAR_END]), { level: 9 });
  await mkdir(cache, { recursive: true });
  await writeFile(`${file}.${process.pid}`, packed);
  await rename(`${file}.${process.pid}`, file);
  return packed;
}

const pinned: Readonly<Record<string, string>> = packageJson.optionalDependencies;

function pinnedVersion(name: string): string {
  const version = pinned[name];
  if (version === undefined) throw new Error(`package.json does not name ${name}.`);
  return version;
}

/** npm installs the fitting package only; the other one is fetched with npm, which checks its hash. */
async function readNode(architecture: Architecture, cache: string): Promise<Buffer> {
  const name = `node-linux-${architecture}`;
  const installed = installedFolder(name);
  const folder = installed ?? (await fetchPackage(name, pinnedVersion(name), cache));
  return readFile(join(folder, "bin", "node"));
}

function installedFolder(name: string): string | undefined {
  try {
    return dirname(createRequire(import.meta.url).resolve(`${name}/package.json`));
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "MODULE_NOT_FOUND") {
      return undefined;
    }
    throw error;
  }
}

/** @returns the folder of the package's files */
async function fetchPackage(name: string, version: string, cache: string): Promise<string> {
  const folder = join(cache, `${name}-${version}`);
  const isThere = await readFile(join(folder, "package.json")).then(
    () => true,
    () => false,
  );
  if (isThere) return folder;
  const run = promisify(execFile);
  const temporary = `${folder}.${process.pid}`;
  await mkdir(temporary, { recursive: true });
  try {
    const { stdout } = await run("npm", ["pack", "--silent", `${name}@${version}`], {
      cwd: temporary,
    });
    await run("tar", ["-xzf", stdout.trim()], { cwd: temporary });
    await rename(join(temporary, "package"), folder);
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
  return folder;
}

/** Writes the agent alone, for a host that has its Node already. */
export async function writeAgent(file: string): Promise<void> {
  await writeFile(file, await bundleAgent());
}
