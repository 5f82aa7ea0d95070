/** What the figures are measured in: a world, and Pulumi projects on it. */
import { glob, mkdir, rm, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createProject, type PulumiProject, type PulumiRun, type RunOptions } from "../pulumi.ts";
import type { World } from "../world.ts";
import { GatewayBench } from "./gateway-bench.ts";
import { addDomains, namesOf, tenantOf } from "./many-domains.ts";

/** A stack of a project. */
export interface BenchStack {
  /** Runs Pulumi on it. @throws if it fails, with what it printed */
  run(args: readonly string[]): Promise<void>;
  /** Runs Pulumi on it without waiting. */
  start(args: readonly string[], options?: RunOptions): PulumiRun;
  /** Waits for a started run. @throws if it fails, with what it printed */
  succeeded(run: PulumiRun): Promise<void>;
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

/** A project with nothing but the stack files of tenants, none of which is up. */
export interface FleetFolder {
  readonly project: PulumiProject;
  /** Their names. */
  readonly stacks: readonly string[];
}

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
  #empty: Promise<PulumiProject> | undefined;
  #stacks = 0;

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

  /** A new tenant's stack, not up yet. */
  async addStack(config: Readonly<Record<string, unknown>>): Promise<BenchStack> {
    const name = this.#newName();
    await this.#project.addStack(name, JSON.stringify({ config }));
    return stackOf(this.#project, name);
  }

  /** A new stack whose TypeScript program is empty, on the same engine and language host, not up yet. */
  async addEmptyStack(): Promise<BenchStack> {
    this.#empty ??= createEmptyProject(this.world);
    const project = await this.#empty;
    const name = this.#newName();
    await project.addStack(name);
    return stackOf(project, name);
  }

  /** Such a stack, up. */
  async empty(): Promise<BenchStack> {
    const stack = await this.addEmptyStack();
    await stack.run(["up", "--yes"]);
    return stack;
  }

  /** So many tenants with a domain each. */
  async fleet(count: number): Promise<FleetFolder> {
    const { directory, env } = this.world;
    const project = await createProject({ directory, env });
    for await (const file of glob("stacks/*.yaml", { cwd: project.directory })) {
      await rm(join(project.directory, file));
    }
    const stacks = namesOf("fleet", count).map((name) => name.replace(".test", ""));
    for (const stack of stacks) {
      const domain = `${stack}.test`;
      await addDomains(this.world, [domain]);
      await project.writeStackFile(stack, JSON.stringify({ config: tenantOf([domain]) }));
    }
    return { project, stacks };
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

  #newName(): string {
    this.#stacks += 1;
    return `stack-${this.#stacks}`;
  }

  async #onboard(): Promise<{ stack: BenchStack; requests: number }> {
    const stack = await this.addStack(oneDomain);
    const requests = await this.countRequests(() => stack.run(["up", "--yes"]));
    return { stack, requests };
  }
}

async function createEmptyProject({ directory, env }: World): Promise<PulumiProject> {
  const source = join(directory, "empty-project");
  await mkdir(source);
  await writeFile(join(source, "Pulumi.yaml"), emptyProject);
  await writeFile(join(source, "package.json"), JSON.stringify({ type: "module" }));
  await writeFile(join(source, "index.ts"), "export {};\n");
  const packages = fileURLToPath(new URL("../../node_modules", import.meta.url));
  await symlink(packages, join(source, "node_modules"));
  return createProject({ directory, env, source });
}

async function brought(project: PulumiProject, name: string): Promise<BenchStack> {
  const stack = stackOf(project, name);
  await stack.run(["up", "--yes"]);
  return stack;
}

function stackOf(project: PulumiProject, name: string): BenchStack {
  const start = (args: readonly string[], options?: RunOptions) =>
    project.start(name, args, options);
  const succeeded = async (run: PulumiRun) => {
    const { exitCode, stdout, stderr } = await run.result;
    if (exitCode === 0) return;
    throw new Error(`pulumi, stack ${name}, ended with ${exitCode}:\n${stdout}${stderr}`);
  };
  return { start, succeeded, run: (args) => succeeded(start(args)) };
}
