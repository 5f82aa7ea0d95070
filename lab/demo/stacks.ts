/** The gateway's stack and the example tenants' stacks under the real engine. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import { z } from "zod";
import { exampleNames } from "../../config/example-gateway.ts";
import type { GatewayAccount } from "../gateway-account.ts";
import { createProject, type PulumiProject, type PulumiRun } from "../pulumi.ts";
import type { Say } from "../step.ts";
import type { World } from "../world.ts";
import { inBrief, resourceTexts } from "./display.ts";
import { onOwnGateway } from "./own-gateway.ts";

const names = { gateway: ["gateway"], tenants: ["contoso", "fabrikam"] } as const;

/** How often a running engine's display is read, in milliseconds. */
const readInterval = 100;

const domainOutputs = z.object({
  inbound: z.string(),
  outbound: z.string(),
  route: z.object({ relayServer: z.string() }).optional(),
});
const stackOutputs = z.object({
  domains: z.record(z.string(), domainOutputs),
});

/** A run of Pulumi that failed; the message holds what it printed. */
export class PulumiRunError extends Error {
  override readonly name = "PulumiRunError";
}

/** What a stack says of a domain after `pulumi up`. */
export type DomainOutputs = z.infer<typeof stackOutputs>["domains"][string];

export interface StacksOptions extends Pick<World, "directory" | "env" | "net" | "authority"> {
  readonly account: GatewayAccount;
}

/** Whose stacks a command is for. */
export type Whose = "gateway" | "tenants";

export class Stacks {
  readonly #project: PulumiProject;

  private constructor(project: PulumiProject) {
    this.#project = project;
  }

  /** Makes the stacks, which change nothing yet. */
  static async create({ account, authority, net, directory, env }: StacksOptions): Promise<Stacks> {
    const project = await createProject({ directory, env: { ...env, ...account.env } });
    await addGateway(project, account, authority);
    for (const stack of names.tenants) {
      const path = join(project.directory, "stacks", `Pulumi.${stack}.yaml`);
      await project.addStack(stack, onOwnGateway(await readFile(path, "utf8"), net));
    }
    return new Stacks(project);
  }

  /**
   * Runs the command on the stacks at once, and says what the resources do meanwhile.
   *
   * @returns what the engine printed
   * @throws {PulumiRunError}
   */
  async run(whose: Whose, args: readonly string[], say: Say): Promise<string> {
    const start = performance.now();
    const sayWhen: Say = (line) => {
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      say(`${seconds.padStart(4)} s  ${line}`);
    };
    const runs = names[whose].map((stack) => this.#runStack(stack, args, sayWhen));
    return (await Promise.all(runs)).join("\n");
  }

  /** By domain. */
  async outputs(): Promise<ReadonlyMap<string, DomainOutputs>> {
    const texts = await Promise.all(
      names.tenants.map((stack) =>
        this.#runStack(stack, ["stack", "output", "--json"], () => undefined),
      ),
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

/** The certificate's key is a secret of the stack. */
async function addGateway(
  project: PulumiProject,
  { config }: GatewayAccount,
  authority: World["authority"],
): Promise<void> {
  const [host, ...otherNames] = exampleNames;
  const { cert, key } = await authority.issue(host, { otherNames });
  const [gateway] = names.gateway;
  await project.addStack(
    gateway,
    stringify({ config: { ...config, "gateway:certificate": cert } }),
  );
  // A text that begins with a dash would be taken for an option.
  const secret = ["config", "set", "--secret", "gateway:privateKey", `\n${key}`];
  const { exitCode, stderr } = await project.run(gateway, secret);
  if (exitCode !== 0) throw new PulumiRunError(`The key cannot be stored: ${stderr}`);
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
