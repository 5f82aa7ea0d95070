/** Runs the engine on many stacks side by side, within this process and one budget for Cloudflare's rate limit. */
import { join } from "node:path";
import { kinds } from "../provider/kinds.ts";
import { mxheroProvider } from "../provider/mxhero.ts";
import type { Provider } from "../provider/protocol/provider.ts";
import type { RequestPaces } from "../provider/settings.ts";
import type { ChosenStack } from "./choose-stacks.ts";
import { type EngineOutcome, type Operation, runEngine } from "./engine.ts";
import { makeStack } from "./known-stacks.ts";
import { PassingStacks, type Place } from "./passing-stacks.ts";
import type { Program } from "./program-server.ts";
import { type Progress, withProgress } from "./progress.ts";
import { progressLine } from "./progress-line.ts";
import { sideBySide } from "./side-by-side.ts";

export interface FleetRunOptions {
  /** The project's folder, which is the working directory. */
  readonly project: string;
  readonly program: Program;
  /** Takes what passes with the run. */
  readonly folder: string;
  /** So many engines at once. An engine takes about 150 MB. */
  readonly parallel: number;
  readonly signal: AbortSignal;
  readonly refreshes: boolean;
}

/** What is done with one stack: how it ended in a few words, for the display, and its result. */
export interface StackDone<Result> {
  readonly outcome: string;
  readonly result: Result;
}

export class FleetRun {
  /** One for all stacks. */
  readonly requestPaces: RequestPaces = new Map();
  readonly signal: AbortSignal;
  readonly #options: FleetRunOptions;
  readonly #provider: Provider;
  readonly #passing: PassingStacks;

  constructor(options: FleetRunOptions) {
    this.#options = options;
    this.signal = options.signal;
    this.#passing = new PassingStacks(options.project, options.folder);
    const provider = mxheroProvider(kinds);
    const { configuration } = provider;
    const read: typeof configuration.read = (configured) => ({
      ...configuration.read(configured),
      requestPaces: this.requestPaces,
    });
    this.#provider = { ...provider, configuration: { ...configuration, read } };
  }

  /** Shows one display meanwhile. A stack that is not begun, since the run was to stop, has no result. */
  each<Stack extends { readonly stack: string }, Result>(
    title: string,
    stacks: readonly Stack[],
    work: (stack: Stack, progress: Progress) => Promise<StackDone<Result>>,
  ): Promise<(Result | undefined)[]> {
    const { parallel } = this.#options;
    return withProgress(title, stacks.length, (progress) =>
      sideBySide(stacks, parallel, this.signal, async (stack) => {
        const { outcome, result } = await work(stack, progress);
        progress.done(stack.stack, outcome);
        return result;
      }),
    );
  }

  /**
   * Of a destroy and a refresh, too. Leaves the backend and the stack's file as they are.
   *
   * @param state what `exportStack` gave, where it is there already
   */
  async preview(
    chosen: ChosenStack,
    operation: Operation,
    progress: Progress,
    onEvent: (event: unknown) => void,
    state?: string,
  ): Promise<EngineOutcome> {
    const run = (place: Place) => this.run(chosen, operation, progress, onEvent, place);
    return this.#passing.preview(chosen, operation, run, state);
  }

  /** Makes the stack first if the backend does not have it. */
  async change(
    chosen: ChosenStack,
    operation: Operation,
    progress: Progress,
    onEvent: (event: unknown) => void,
  ): Promise<EngineOutcome> {
    const { project } = this.#options;
    if (!chosen.isKnown) await makeStack(chosen.stack, project, join(project, chosen.file));
    return this.run(chosen, operation, progress, onEvent, { configFile: chosen.formerFile });
  }

  private run(
    { stack }: ChosenStack,
    operation: Operation,
    progress: Progress,
    onEvent: (event: unknown) => void,
    place: Place,
  ): Promise<EngineOutcome> {
    const see = (event: unknown) => {
      const line = progressLine(event);
      if (line !== undefined) progress.say(stack, line);
      onEvent(event);
    };
    const task = { stack, operation, place, onEvent: see };
    const { program, refreshes } = this.#options;
    return runEngine(task, { program, provider: this.#provider, signal: this.signal, refreshes });
  }
}
