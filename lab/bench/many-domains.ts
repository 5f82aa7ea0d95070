/** Domains for the figures of onboarding, each a zone of its own, and the run that brings them onto the gateway. */
import { readFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import type { LoggedRequest } from "../cloudflare/index.ts";
import type { PulumiRun, RunOptions } from "../pulumi.ts";
import type { Say } from "../step.ts";
import type { World } from "../world.ts";
import type { BenchLab } from "./bench-lab.ts";

/** A mail host of the example world. */
const server = "mail.fabrikam.test";

/** Adds zones of these names to the world, as they are before onboarding; the gateway knows the domains. */
export async function addDomains(world: World, names: readonly string[]): Promise<void> {
  for (const name of names) {
    world.gateway?.routes.set(name, { server });
    const id = await world.cloudflare.addZone({ name });
    await world.cloudflare.seed(id, [
      { name, type: "MX", content: server, priority: 10 },
      { name, type: "TXT", content: `"v=spf1 a:${server} -all"` },
    ]);
  }
}

/** The configuration of a stack that brings the domains onto the world's gateway, without waits for time. */
export function tenantOf(names: readonly string[]): Readonly<Record<string, unknown>> {
  return {
    "mail:organisation": "many",
    "mail:gateway": {
      mx: [{ exchange: "smtp-in.gateway.test", preference: 10 }],
      smtpIn: "smtp-in.gateway.test",
      smtpRelay: "smtp-relay.gateway.test",
      spfInclude: "_spf.gateway.test",
    },
    "mail:domains": names.map((name) => ({
      name,
      mailSystem: "exchange",
      server,
      inbound: "border",
      outbound: "standard",
      overlapSeconds: 0,
    })),
  };
}

/** Names of domains that no other figure uses. */
export function namesOf(figure: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${figure}-${index + 1}.test`);
}

export interface Onboarding {
  readonly seconds: number;
  readonly requests: readonly LoggedRequest[];
  /** The highest memory of any of the provider's processes. */
  readonly megabytes: number;
}

/** Brings new domains onto the gateway in one run. */
export async function onboard(
  lab: BenchLab,
  names: readonly string[],
  say: Say,
  options: RunOptions = {},
): Promise<Onboarding> {
  const { world } = lab;
  say(`adding ${names.length} zones`);
  await addDomains(world, names);
  const stack = await lab.addStack(tenantOf(names));
  const before = world.cloudflare.requests.length;
  const start = performance.now();
  const run = stack.start(["up", "--yes"], options);
  const megabytes = await watch(run, say);
  await stack.succeeded(run);
  const seconds = (performance.now() - start) / 1000;
  return { seconds, requests: world.cloudflare.requests.slice(before), megabytes };
}

/** Follows a run: says what waits, and returns the highest memory that the provider had. */
async function watch(run: PulumiRun, say: Say): Promise<number> {
  const end = run.result.then(() => true);
  let highest = 0;
  let shown = 0;
  do {
    const lines = run.output().split("\n").slice(0, -1);
    for (const line of lines.slice(shown)) if (line.includes("rate limit")) say(line.trim());
    shown = lines.length;
    for (const pid of await run.providerPids()) highest = Math.max(highest, await memoryOf(pid));
  } while (!(await Promise.race([sleep(200, false), end])));
  return highest;
}

/** The highest memory of a process since its start, in MB; 0 if it has just ended. */
async function memoryOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8").catch(() => "");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1] ?? 0) / 1024;
}
