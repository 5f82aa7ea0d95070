/** What the figures are measured in: a world, and Pulumi projects on it. */
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createProject, type PulumiProject } from "../pulumi.ts";
import type { World } from "../world.ts";
import { GatewayBench } from "./gateway-bench.ts";

/** A stack of a project. */
export interface BenchStack {
  /** Runs Pulumi on it. @throws if it fails, with what it printed */
  run(args: readonly string[]): Promise<void>;
}

/** A domain with inbound border and outbound standard. */
const oneDomain = {
  "mail:organisation": "fabrikam",
  "mail:gateway": {
    mx: [{ exchange: "smtp-in.gateway.test", preference: 10 }],
    smtpIn: "smtp-in.gateway.test",
    smtpRelay: "smtp-relay.gateway.test",
    spfInclude: "_spf.gateway.test",
  },
  "mail:domains": [
    {
      name: "fabrikam.test",
      mailSystem: "exchange",
      server: "mail.fabrikam.test",
      inbound: "border",
      outbound: "standard",
      overlapSeconds: 0,
    },
  ],
};

const emptyProject = `name: empty
runtime:
  name: nodejs
  options:
    typescript: false
main: index.ts
stackConfigDir: stacks
`;

export class BenchLab implements AsyncDisposable {
  readonly world: World;
  readonly #project: PulumiProject;
  #gateway: Promise<GatewayBench> | undefined;
  #oneDomain: Promise<{ stack: BenchStack; requests: number }> | undefined;

  private constructor(world: World, project: PulumiProject) {
    this.world = world;
    this.#project = project;
  }

  static async create(world: World): Promise<BenchLab> {
    const { directory, env } = world;
    return new BenchLab(world, await createProject({ directory, env }));
  }

  /** A stack of one domain, which is onboarded once, and how many requests to Cloudflare that took. */
  onboarded(): Promise<{ stack: BenchStack; requests: number }> {
    this.#oneDomain ??= this.#onboard();
    return this.#oneDomain;
  }

  /** How many requests to Cloudflare are made meanwhile. */
  async countRequests(work: () => Promise<void>): Promise<number> {
    const { cloudflare } = this.world;
    const before = cloudflare.requests.length;
    await work();
    return cloudflare.requests.length - before;
  }

  /** The example tenant's stack, up. */
  async tenant(): Promise<BenchStack> {
    await this.#project.addStack("contoso");
    return brought(this.#project, "contoso");
  }

  /** A stack whose TypeScript program is empty, on the same engine and language host, up. */
  async empty(): Promise<BenchStack> {
    const { directory, env } = this.world;
    const source = join(directory, "empty-project");
    await mkdir(source);
    await writeFile(join(source, "Pulumi.yaml"), emptyProject);
    await writeFile(join(source, "package.json"), JSON.stringify({ type: "module" }));
    await writeFile(join(source, "index.ts"), "export {};\n");
    const packages = fileURLToPath(new URL("../../node_modules", import.meta.url));
    await symlink(packages, join(source, "node_modules"));
    const project = await createProject({ directory, env, source });
    await project.addStack("empty");
    return brought(project, "empty");
  }

  /** A gateway's slot and what it is compared with, started once. */
  gateway(): Promise<GatewayBench> {
    this.#gateway ??= GatewayBench.start(this.world);
    return this.#gateway;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gateway = await this.#gateway;
    await gateway?.[Symbol.asyncDispose]();
  }

  async #onboard(): Promise<{ stack: BenchStack; requests: number }> {
    const name = "one-domain";
    await this.#project.addStack(name, JSON.stringify({ config: oneDomain }));
    const stack = stackOf(this.#project, name);
    const requests = await this.countRequests(() => stack.run(["up", "--yes"]));
    return { stack, requests };
  }
}

async function brought(project: PulumiProject, name: string): Promise<BenchStack> {
  const stack = stackOf(project, name);
  await stack.run(["up", "--yes"]);
  return stack;
}

function stackOf(project: PulumiProject, name: string): BenchStack {
  return {
    run: async (args) => {
      const { exitCode, stdout, stderr } = await project.run(name, args);
      if (exitCode === 0) return;
      throw new Error(
        `pulumi ${args.join(" ")} of ${name} ended with ${exitCode}:\n${stdout}${stderr}`,
      );
    },
  };
}
