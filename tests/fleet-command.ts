/** For the tests of `npm run fleet`: the command in the folder of a lab's project. */
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { z } from "zod";
import { stackVerdict } from "../commands/verify-schema.ts";
import type { PulumiProject } from "../lab/pulumi.ts";

const command = join(import.meta.dirname, "..", "commands", "fleet.ts");

export interface FleetResult {
  readonly exitCode: number | undefined;
  /** All that it printed. */
  readonly text: string;
}

export interface FleetOptions {
  /** Aborted: Ctrl-C. */
  readonly cancelSignal?: AbortSignal;
  /** Variables on top of the project's. */
  readonly env?: Readonly<Record<string, string>>;
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
  { cancelSignal, env: more = {} }: FleetOptions = {},
): Promise<FleetResult> {
  const { all, exitCode } = await execa(process.execPath, [command, ...args], {
    cwd: directory,
    env: { ...env, ...more },
    extendEnv: false,
    all: true,
    reject: false,
    stdin: "ignore",
    killSignal: "SIGINT",
    forceKillAfterDelay: false,
    ...(cancelSignal && { cancelSignal }),
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

const verdicts = z.array(stackVerdict);

/** What a look at the stacks has found, each as `<stack or domain> <status> <id>: <text>`, but for what is well. */
export async function findings(file: string): Promise<string[]> {
  return verdicts
    .parse(JSON.parse(await readFile(file, "utf8")))
    .flatMap(({ stack, checks, domains }) =>
      [{ domain: stack, checks }, ...domains].flatMap(({ domain, checks: found }) =>
        found.flatMap(({ id, status, text }) =>
          status === "well" || status === "skipped" ? [] : [`${domain} ${status} ${id}: ${text}`],
        ),
      ),
    );
}
