/**
 * Runs the engine on one stack: its program and the provider are in this process, only the engine itself is another
 * one. What it does comes as events, on a pipe; nothing of them is stored.
 */
import { createInterface } from "node:readline";
import { execa } from "execa";
import { openAttachedServer } from "../provider/protocol/attached-server.ts";
import type { Provider } from "../provider/protocol/provider.ts";
import { readEngineLine } from "./engine-line.ts";
import type { Place } from "./passing-stacks.ts";
import { openProgramServer, type Program } from "./program-server.ts";

export interface EngineOptions {
  readonly program: Program;
  readonly provider: Provider;
  /** The first abort asks the engine to stop at a safe point, as Ctrl-C does. */
  readonly signal: AbortSignal;
  /** `preview` and `up` look first what others have changed since the last run, and so bring it back. */
  readonly refreshes: boolean;
}

export interface EngineTask {
  /** Its name, as `pulumi stack ls` shows it. */
  readonly stack: string;
  readonly operation: Operation;
  readonly place: Place;
  /** Engine events in the order in which they come. */
  readonly onEvent: (event: unknown) => void;
}

export interface EngineOutcome {
  /** `undefined`: a signal ended it. */
  readonly exitCode: number | undefined;
  /** What it printed beside its events; of a run that failed before the first event this is the reason. */
  readonly text: string;
}

/** What the engine is asked for, with its arguments. */
const OPERATIONS = {
  preview: ["preview"],
  up: ["up", "--yes", "--skip-preview"],
  "preview-destroy": ["destroy", "--preview-only"],
  destroy: ["destroy", "--yes", "--skip-preview"],
  "preview-refresh": ["refresh", "--preview-only"],
  refresh: ["refresh", "--yes", "--skip-preview"],
} as const;
export type Operation = keyof typeof OPERATIONS;

const REFRESHING: ReadonlySet<Operation> = new Set(["preview", "up"]);

const COMMON = ["--json", "--non-interactive", "--color", "never", "--exec-kind", "auto.inline"];

/** Never throws for what the engine says. @throws if it cannot be started */
export async function runEngine(task: EngineTask, options: EngineOptions): Promise<EngineOutcome> {
  const { stack, operation, place } = task;
  const program = await openProgramServer(options.program);
  const provider = await openAttachedServer(options.provider);
  try {
    const args = [
      ...OPERATIONS[operation],
      ...COMMON,
      ...(options.refreshes && REFRESHING.has(operation) ? ["--refresh"] : []),
      "--stack",
      stack,
      `--client=127.0.0.1:${program.port}`,
      ...(place.configFile === undefined ? [] : ["--config-file", place.configFile]),
    ];
    const env = {
      PULUMI_DEBUG_PROVIDERS: `mxhero:${provider.port}`,
      ...(place.backend !== undefined && { PULUMI_BACKEND_URL: place.backend }),
    };
    return await runCli(args, env, task.onEvent, options);
  } finally {
    await provider.close("The run has ended.");
    program.close();
  }
}

async function runCli(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onEvent: EngineTask["onEvent"],
  { signal }: EngineOptions,
): Promise<EngineOutcome> {
  const engine = execa("pulumi", args, {
    env: {
      ...env,
      PULUMI_ENABLE_STREAMING_JSON_PREVIEW: "true",
      PULUMI_SKIP_UPDATE_CHECK: "true",
    },
    stdin: "ignore",
    buffer: false,
    reject: false,
    // Ctrl-C on a terminal reaches this process only, which says once when the engine is to stop.
    detached: true,
  });
  const interrupt = () => engine.kill("SIGINT");
  signal.addEventListener("abort", interrupt);
  const text: string[] = [];
  try {
    const [{ exitCode, code, originalMessage }] = await Promise.all([
      engine,
      eachLine(engine.stdout, (line) => {
        const read = readEngineLine(line);
        if (read.kind === "event") onEvent(read.event);
        else text.push(read.text);
      }),
      eachLine(engine.stderr, (line) => text.push(line)),
    ]);
    if (exitCode === undefined && code !== undefined) throw new Error(originalMessage);
    return { exitCode, text: text.join("\n").trim() };
  } finally {
    signal.removeEventListener("abort", interrupt);
  }
}

async function eachLine(stream: NodeJS.ReadableStream, see: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: stream })) see(line);
}
