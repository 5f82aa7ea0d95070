/** The example tenants' stacks under the real engine, both at once. */
import { z } from "zod";
import { createProject, type PulumiProject, type PulumiRun } from "../pulumi.ts";
import type { Say } from "../step.ts";
import type { World } from "../world.ts";
import { inBrief, resourceTexts } from "./display.ts";

export const stacks = ["contoso", "fabrikam"] as const;

/** How often a running engine's display is read, in milliseconds. */
const readInterval = 100;

const stackOutputs = z.object({
  domains: z.record(z.string(), z.object({ inbound: z.string(), outbound: z.string() })),
});

/** A run of Pulumi that failed; the message holds what it printed. */
export class PulumiRunError extends Error {
  override readonly name = "PulumiRunError";
}

/** What a stack says of a domain after `pulumi up`. */
export type DomainOutputs = z.infer<typeof stackOutputs>["domains"][string];

export class Tenants {
  readonly #project: PulumiProject;

  private constructor(project: PulumiProject) {
    this.#project = project;
  }

  /** Makes the stacks, which change nothing yet. */
  static async create({ directory, env }: World): Promise<Tenants> {
    const project = await createProject({ directory, env });
    await Promise.all(stacks.map((stack) => project.addStack(stack)));
    return new Tenants(project);
  }

  /**
   * Runs the command on every stack and says what the resources do meanwhile.
   *
   * @returns what the engine printed
   * @throws {PulumiRunError}
   */
  async run(args: readonly string[], say: Say): Promise<string> {
    const start = performance.now();
    const sayWhen: Say = (line) => {
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      say(`${seconds.padStart(4)} s  ${line}`);
    };
    const displays = await Promise.all(stacks.map((stack) => this.#runStack(stack, args, sayWhen)));
    return displays.join("\n");
  }

  /** By domain. */
  async outputs(): Promise<ReadonlyMap<string, DomainOutputs>> {
    const texts = await Promise.all(
      stacks.map((stack) => this.#runStack(stack, ["stack", "output", "--json"], () => undefined)),
    );
    const domains = texts.map((text) => stackOutputs.parse(JSON.parse(text)).domains);
    return new Map(domains.flatMap((each) => Object.entries(each)));
  }

  async #runStack(stack: string, args: readonly string[], say: Say): Promise<string> {
    const run = this.#project.start(stack, args);
    const relay = relayOf(run, say);
    const timer = setInterval(relay, readInterval);
    const { exitCode, stdout } = await run.result;
    clearInterval(timer);
    relay();
    if (exitCode === 0) return stdout;
    const how = exitCode === undefined ? "was ended by a signal" : `ended with ${exitCode}`;
    throw new PulumiRunError(`pulumi ${args.join(" ")} of ${stack} ${how}:\n${run.output()}`);
  }
}

/** Says what is new each time that it is called. */
function relayOf(run: PulumiRun, say: Say): () => void {
  let said = 0;
  return () => {
    const texts = resourceTexts(run.output());
    for (const text of texts.slice(said)) say(inBrief(text));
    said = texts.length;
  };
}
