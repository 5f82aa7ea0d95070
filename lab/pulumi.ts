/**
 * The real Pulumi CLI on a copy of a project, with a home, a state and a passphrase of its own. In the home are
 * the lab's stand-ins for the providers of AWS and Cloudflare.
 *
 * `pulumi` and its language host are found on the PATH.
 */
import {
  copyFile,
  glob,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  symlink,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import { parse, stringify } from "yaml";
import { layOutPlugins } from "./plugins.ts";
import { commandLineOf, descendantsOf } from "./processes.ts";

export interface ProjectOptions {
  /** An existing folder in which the project gets a new one. It outlives no world: see `World.directory`. */
  readonly directory: string;
  /** Variables for the CLI and all that it starts, e.g. `World.env`. */
  readonly env: Readonly<Record<string, string>>;
  /** The project's folder. @default this checkout */
  readonly source?: string;
}

export interface RunOptions {
  /** Ends the CLI with SIGTERM, as a person's Ctrl-C would. */
  readonly signal?: AbortSignal;
  /** Variables on top of the project's; `undefined` takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

export interface PulumiResult {
  readonly stdout: string;
  readonly stderr: string;
  /** `undefined` if a signal ended the CLI. */
  readonly exitCode: number | undefined;
}

/** A CLI that is running. */
export interface PulumiRun {
  /** The CLI is the engine. */
  readonly pid: number;
  readonly result: Promise<PulumiResult>;
  /** What it has printed so far. */
  readonly output: () => string;
  /** The processes of our provider that run now. */
  providerPids(): Promise<number[]>;
  /** Signals the CLI only. */
  kill(signal: NodeJS.Signals): void;
}

export interface PulumiProject {
  /** A view of the source: the stack files are copies, everything else are links. */
  readonly directory: string;
  /** Everything that the CLI is given, for a shell. */
  readonly env: Readonly<Record<string, string>>;
  /** Writes the stack's file, if one is given, and makes the stack. */
  addStack(stack: string, file?: string): Promise<void>;
  /** Replaces the stack's file, as a person edits it. What the CLI had written into it is lost. */
  writeStackFile(stack: string, file: string): Promise<void>;
  /** Replaces the stack's configuration. What the CLI had written beside it, the salt of its secrets, stays. */
  configure(stack: string, config: Readonly<Record<string, unknown>>): Promise<void>;
  /** Makes a stack of nothing but these outputs, which others can refer to. */
  addOutputs(stack: string, outputs: Readonly<Record<string, unknown>>): Promise<void>;
  /** Runs the CLI and waits. Never throws for its exit code. */
  run(stack: string, args: readonly string[], options?: RunOptions): Promise<PulumiResult>;
  /** Runs the CLI without waiting. */
  start(stack: string, args: readonly string[], options?: RunOptions): PulumiRun;
}

/** What shows progress. Another thread writes its dots, at times in front of a line that is still to come. */
const WITH_PROGRESS = new Set(["preview", "up", "refresh", "destroy", "import"]);

const checkout = fileURLToPath(new URL("..", import.meta.url));

/** Makes a view of the project, without stacks. */
export async function createProject(options: ProjectOptions): Promise<PulumiProject> {
  const { source = checkout } = options;
  const folder = await mkdtemp(join(options.directory, "pulumi-"));
  const directory = join(folder, "project");
  await linkProject(source, directory);
  await mkdir(join(folder, "state"));
  await layOutPlugins(join(folder, "home"));
  const env = { ...environment(folder), ...options.env };
  const start = (args: readonly string[], runOptions: RunOptions = {}) =>
    startPulumi(args, directory, { ...env, ...runOptions.env }, runOptions.signal);
  const addStack = async (stack: string, file?: string) => {
    if (file !== undefined) await writeFile(stackFile(directory, stack), file);
    const { exitCode, stderr } = await start(["stack", "init", stack]).result;
    if (exitCode !== 0) throw new Error(`Cannot make the stack ${stack}: ${stderr}`);
  };
  return {
    directory,
    env,
    addStack,
    writeStackFile: (stack, file) => writeFile(stackFile(directory, stack), file),
    configure: (stack, config) => replaceConfig(stackFile(directory, stack), config),
    addOutputs: async (stack, outputs) => {
      await addStack(stack, "config: {}\n");
      const file = join(folder, `${stack}.json`);
      await writeFile(file, deploymentOf(stack, outputs));
      const args = ["stack", "import", "--file", file, "--stack", stack];
      const { exitCode, stderr } = await start(args).result;
      if (exitCode !== 0) throw new Error(`The outputs of ${stack} were not imported: ${stderr}`);
    },
    run: (stack, args, runOptions) => start([...args, "--stack", stack], runOptions).result,
    start: (stack, args, runOptions) => start([...args, "--stack", stack], runOptions),
  };
}

/** The CLI writes into the stack files, so these are copied. */
async function linkProject(source: string, directory: string): Promise<void> {
  await mkdir(join(directory, "stacks"), { recursive: true });
  for (const name of await readdir(source)) {
    if (name === "stacks" || name.startsWith(".")) continue;
    await symlink(join(source, name), join(directory, name));
  }
  for await (const file of glob("stacks/*.yaml", { cwd: source })) {
    await copyFile(join(source, file), join(directory, file));
  }
}

function stackFile(directory: string, stack: string): string {
  return join(directory, "stacks", `Pulumi.${stack}.yaml`);
}

async function replaceConfig(file: string, config: object): Promise<void> {
  const present: unknown = parse(await readFile(file, "utf8"));
  const kept = typeof present === "object" ? present : {};
  await writeFile(file, stringify({ ...kept, config }));
}

/** In the form of `pulumi stack export`. */
function deploymentOf(stack: string, outputs: Readonly<Record<string, unknown>>): string {
  const type = "pulumi:pulumi:Stack";
  const urn = `urn:pulumi:${stack}::mail::${type}::mail-${stack}`;
  const deployment = { resources: [{ urn, custom: false, type, outputs }] };
  return JSON.stringify({ version: 3, deployment });
}

/** Nothing of the user's own Pulumi settings is passed on, and nothing is looked for in the network. */
function environment(folder: string): Record<string, string> {
  const kept = ["PATH", "HOME", "TMPDIR", "XDG_CACHE_HOME", "NODE_COMPILE_CACHE"].flatMap(
    (name) => {
      const value = process.env[name];
      return value === undefined ? [] : [[name, value] as const];
    },
  );
  return {
    ...Object.fromEntries(kept),
    PULUMI_HOME: join(folder, "home"),
    PULUMI_BACKEND_URL: `file://${join(folder, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "lab",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    PULUMI_DISABLE_REGISTRY_RESOLVE: "true",
  };
}

function startPulumi(
  args: readonly string[],
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal | undefined,
): PulumiRun {
  const plain = ["--non-interactive", "--color", "never"];
  if (WITH_PROGRESS.has(args[0] ?? "")) plain.push("--suppress-progress");
  const child = execa("pulumi", [...args, ...plain], {
    cwd,
    env,
    extendEnv: false,
    all: true,
    reject: false,
    forceKillAfterDelay: false,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  const { pid } = child;
  if (pid === undefined) throw new Error('"pulumi" did not start: is it on the PATH?');
  let output = "";
  child.all.on("data", (chunk: Buffer) => {
    output += chunk.toString();
  });
  return {
    pid,
    result: child.then(({ stdout, stderr, exitCode }) => ({ stdout, stderr, exitCode })),
    output: () => output,
    providerPids: () => providersBelow(pid),
    kill: (name) => child.kill(name),
  };
}

async function providersBelow(pid: number): Promise<number[]> {
  const processes = await descendantsOf(pid);
  const lines = await Promise.all(processes.map(commandLineOf));
  return processes.filter((_, index) =>
    lines[index]?.some((word) => word.endsWith("/provider/main.ts")),
  );
}
