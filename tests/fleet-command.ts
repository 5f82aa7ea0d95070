/** For the tests of `npm run fleet`: the command in the folder of a lab's project. */
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import type { PulumiProject } from "../lab/pulumi.ts";

const command = join(import.meta.dirname, "..", "commands", "fleet.ts");

export interface FleetResult {
  readonly exitCode: number | undefined;
  /** All that it printed. */
  readonly text: string;
}

/** Takes the example stacks' files away. */
export async function emptyFleet({ directory }: PulumiProject): Promise<void> {
  const folder = join(directory, "stacks");
  const files = (await readdir(folder)).filter((name) => name.endsWith(".yaml"));
  await Promise.all(files.map((name) => rm(join(folder, name))));
}

/** Runs it as a person in the project's folder does. */
export async function fleet(
  { directory, env }: PulumiProject,
  args: readonly string[],
  options: { readonly cancelSignal?: AbortSignal } = {},
): Promise<FleetResult> {
  const { all, exitCode } = await execa(process.execPath, [command, ...args], {
    cwd: directory,
    env,
    extendEnv: false,
    all: true,
    reject: false,
    stdin: "ignore",
    killSignal: "SIGINT",
    forceKillAfterDelay: false,
    ...options,
  });
  return { exitCode, text: all };
}

const reports = z.array(
  z.looseObject({ stack: z.string(), status: z.string(), changeDigest: z.string() }),
);

/** The status of each stack in the JSON that a run has written. */
export async function statuses(file: string): Promise<Record<string, string>> {
  const read = reports.parse(JSON.parse(await readFile(file, "utf8")));
  return Object.fromEntries(read.map(({ stack, status }) => [stack, status]));
}
