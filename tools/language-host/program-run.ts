/** One run of a program: a Node process under `@pulumi/pulumi/cmd/run`. */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Writable } from "node:stream";
import language from "@pulumi/pulumi/proto/language_pb.js";

/** The exit code of `cmd/run` for an error that it has shown already. */
const alreadyShown = 32;
/** Linux allows 128 KiB for one variable of the environment, and a stack's configuration may be longer. */
const CONFIGURATION_FD = 3;
/** How long a program that was told to stop may take, in milliseconds. */
const graceMs = 2_000;

export class ProgramRun {
  /** How the program ended. Fails if it could not be started. */
  readonly ended: Promise<language.RunResponse>;
  readonly #child: ChildProcess;
  #stopped = false;

  /**
   * Starts the program. What it prints goes to this process's output, which the engine shows.
   *
   * @throws if the program's folder has no `@pulumi/pulumi`
   */
  constructor(request: language.RunRequest, engineAddress: string) {
    this.#child = spawn(process.execPath, programArguments(request, engineAddress), {
      cwd: request.getPwd(),
      stdio: ["ignore", "inherit", "inherit", "pipe"],
    });
    const pipe = this.#child.stdio[CONFIGURATION_FD];
    // A program that ends at once does not read it; how it ended says why.
    if (pipe instanceof Writable) pipe.on("error", () => {}).end(configuration(request));
    this.ended = new Promise((resolve, reject) => {
      this.#child.once("error", reject);
      this.#child.once("exit", (code, signal) => resolve(this.#response(code, signal)));
    });
  }

  /** Ends the program: at once, or if it does not heed SIGTERM, after two seconds. */
  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.#child.kill("SIGTERM");
    const kill = setTimeout(() => this.#child.kill("SIGKILL"), graceMs);
    this.#child.once("exit", () => clearTimeout(kill));
  }

  #response(code: number | null, signal: NodeJS.Signals | null): language.RunResponse {
    const response = new language.RunResponse();
    if (this.#stopped || code === alreadyShown) response.setBail(true);
    else if (signal !== null) response.setError(`The program was ended by ${signal}.`);
    else if (code !== 0) response.setError(`The program ended with exit code ${code}.`);
    return response;
  }
}

function programArguments(request: language.RunRequest, engineAddress: string): string[] {
  const info = request.getInfo();
  const folder = info?.getProgramDirectory() || request.getPwd();
  const options: Record<string, string> = {
    monitor: request.getMonitorAddress(),
    engine: engineAddress,
    organization: request.getOrganization(),
    project: request.getProject(),
    "root-directory": info?.getRootDirectory() ?? "",
    stack: request.getStack(),
    pwd: request.getPwd(),
    parallel: String(request.getParallel()),
  };
  return [
    "--import",
    import.meta.resolve("./read-configuration.mjs"),
    // The program's own SDK runs it: another copy would not share its state.
    createRequire(join(folder, "index.js")).resolve("@pulumi/pulumi/cmd/run/index.js"),
    ...Object.entries(options).map(([name, value]) => `--${name}=${value}`),
    ...(request.getDryrun() ? ["--dry-run"] : []),
    request.getProgram(),
    ...request.getArgsList(),
  ];
}

/** Variables of the environment, as the SDK reads them. */
function configuration(request: language.RunRequest): string {
  return JSON.stringify({
    PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().toArray())),
    PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    PULUMI_NODEJS_TYPESCRIPT: "false",
  });
}
