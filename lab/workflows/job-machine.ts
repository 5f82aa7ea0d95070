/** The machine of one job of a workflow: its folder, its variables, and what its steps have left. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { type ActionContext, runAction } from "./actions.ts";
import { type Contexts, fillAll, isMet } from "./expression.ts";
import type { Step } from "./workflow-file.ts";

export interface MachineOptions extends Omit<ActionContext, "addVariables"> {
  /** `$RUNNER_TEMP`. */
  readonly temp: string;
  readonly contexts: Contexts;
  /** The variables of every command. */
  readonly machine: Readonly<Record<string, string>>;
}

type Templates = Readonly<Record<string, unknown>>;

export class JobMachine {
  readonly steps: Record<string, { outputs: Record<string, string>; outcome: string }> = {};
  failed = false;
  /** All that the steps printed. */
  log = "";
  readonly #options: MachineOptions;
  #variables: Record<string, string> = {};

  constructor(options: MachineOptions) {
    this.#options = options;
  }

  /** @param env the variables of the job, with expressions */
  async runAll(env: Templates, steps: readonly Step[]): Promise<void> {
    for (const name of ["summary", "output", "env"]) await writeFile(this.#file(name), "");
    for (const step of steps) await this.#run(step, env);
  }

  #file(name: string): string {
    return join(this.#options.temp, name);
  }

  async #run(step: Step, env: Templates): Promise<void> {
    const contexts = { ...this.#options.contexts, steps: this.steps };
    if (!isMet(step.if, contexts, { succeeded: !this.failed, failed: this.failed })) return;
    await writeFile(this.#file("output"), "");
    this.log += `-- ${step.name ?? step.uses ?? ""}\n`;
    const succeeded =
      step.uses === undefined
        ? await this.#bash(step, fillAll({ ...env, ...step.env }, contexts))
        : await this.#use(step.uses, fillAll(step.with, contexts));
    const outputs = assignments(await readFile(this.#file("output"), "utf8"));
    const outcome = succeeded ? "success" : "failure";
    if (step.id !== undefined) this.steps[step.id] = { outputs, outcome };
    Object.assign(this.#variables, assignments(await readFile(this.#file("env"), "utf8")));
    if (!succeeded && !step["continue-on-error"]) this.failed = true;
  }

  async #use(uses: string, inputs: Readonly<Record<string, string>>): Promise<boolean> {
    const addVariables = (added: object) => void Object.assign(this.#variables, added);
    try {
      await runAction(uses, inputs, { ...this.#options, addVariables });
      return true;
    } catch (error) {
      this.log += `${error instanceof Error ? error.message : String(error)}\n`;
      return false;
    }
  }

  async #bash({ run = "", shell }: Step, env: Readonly<Record<string, string>>) {
    if (run.includes("${{")) throw new Error(`An expression stands in a command: ${run}`);
    const script = this.#file("step.sh");
    await writeFile(script, run);
    // docs.github.com/en/actions/reference/workflows-and-actions/workflow-syntax: defaults.run.shell.
    const flags = shell === "bash" ? ["--noprofile", "--norc", "-eo", "pipefail"] : ["-e"];
    const { workspace, temp, machine } = this.#options;
    const files = {
      GITHUB_WORKSPACE: workspace,
      GITHUB_OUTPUT: this.#file("output"),
      GITHUB_ENV: this.#file("env"),
      GITHUB_STEP_SUMMARY: this.#file("summary"),
      RUNNER_TEMP: temp,
    };
    const { all, exitCode } = await execa("bash", [...flags, script], {
      cwd: workspace,
      all: true,
      reject: false,
      extendEnv: false,
      stdin: "ignore",
      env: { ...machine, ...files, ...this.#variables, ...env },
    });
    this.log += `${all}\n`;
    return exitCode === 0;
  }
}

/** `name=value`, a line each. */
function assignments(text: string): Record<string, string> {
  const lines = text.split("\n").filter((line) => line !== "");
  return Object.fromEntries(
    lines.map((line) => {
      const end = line.indexOf("=");
      if (end < 1) throw new Error(`That is no assignment: ${line}`);
      return [line.slice(0, end), line.slice(end + 1)];
    }),
  );
}
