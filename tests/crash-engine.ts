/** Runs the crash tests' domain with the real engine, and kills the engine or its provider. */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { createProject, type PulumiProject, type PulumiRun } from "../lab/pulumi.ts";
import type { World } from "../lab/world.ts";
import { DOMAIN, GATEWAYS, type Runner, type Step } from "./crash-life.ts";

export type Victim = "engine" | "provider";

const STACK = "life";
const GONE_WITHIN_MS = 15_000;

/** Each life has a project, a state and a stack of its own. */
export function createEngineRunner(world: World, victim: Victim): Runner {
  let project: PulumiProject | undefined;
  let running: PulumiRun | undefined;
  let orphans: readonly number[] = [];
  const start = async (args: readonly string[]) => {
    if (project === undefined) throw new Error("reset the runner first");
    running = project.start(STACK, args);
    const { stdout, stderr, exitCode } = await running.result;
    return { ok: exitCode === 0, output: `${stdout}\n${stderr}` };
  };
  return {
    async run(step: Step) {
      if (step === "destroy") return start(["destroy", "--yes", "--skip-preview"]);
      await project?.writeStackFile(STACK, stackFile(step));
      return start(["up", "--yes", "--skip-preview"]);
    },
    async kill() {
      if (running === undefined) throw new Error("nothing is running");
      orphans = await running.providerPids();
      if (orphans.length === 0) throw new Error("the provider is not running");
      if (victim === "engine") running.kill("SIGKILL");
      else for (const pid of orphans) process.kill(pid, "SIGKILL");
      await (victim === "engine" ? running.result : untilGone(orphans));
    },
    async recover() {
      await untilGone(orphans);
      if (victim === "engine") await start(["cancel", "--yes"]);
    },
    async reset() {
      project = await createProject({ directory: world.directory, env: world.env });
      await project.addStack(STACK, stackFile({ up: "first" }));
    },
  };
}

/** An orphaned provider reaches its next safe point and ends by itself. */
async function untilGone(pids: readonly number[]): Promise<void> {
  const end = Date.now() + GONE_WITHIN_MS;
  while (pids.some(isRunning)) {
    if (Date.now() > end) throw new Error(`the provider still runs (${pids.join(", ")})`);
    await sleep(20);
  }
}

function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

function stackFile({ up, bypass = false }: Exclude<Step, "destroy">): string {
  return stringify({
    config: {
      "mail:organisation": "contoso",
      "mail:gateway": {
        mx: GATEWAYS[up],
        smtpIn: "smtp-in.gateway.test",
        smtpRelay: "smtp-relay.gateway.test",
        spfInclude: "_spf.gateway.test",
      },
      "mail:domains": [
        {
          name: DOMAIN,
          mailSystem: "microsoft365",
          server: "contoso-test.mail.protection.outlook.test",
          inbound: "border",
          outbound: "standard",
          quietSeconds: 0,
          bypass,
          overlapSeconds: 0,
        },
      ],
    },
  });
}
