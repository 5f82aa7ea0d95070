/** What onboarding one domain is made of, each part measured by itself: the engine, the provider's starts, the API. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { LoggedRequest } from "../cloudflare/index.ts";
import type { BenchLab } from "./bench-lab.ts";

const provider = fileURLToPath(new URL("../../provider/pulumi-resource-mxhero", import.meta.url));

/** In milliseconds. */
export interface Parts {
  readonly engine: number;
  readonly provider: number;
  readonly requests: number;
  readonly sum: number;
}

/** @param requested what the onboarding asked of the API */
export async function timeParts(
  lab: BenchLab,
  requested: readonly LoggedRequest[],
): Promise<Parts> {
  const stack = await lab.addEmptyStack();
  const engine = await time(() => stack.run(["up", "--yes"]));
  // One for the preview, one for the update.
  const starts = (await timeStart()) + (await timeStart());
  const requests = await time(() => askAll(lab, requested));
  return { engine, provider: starts, requests, sum: engine + starts + requests };
}

async function time(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

/** Until it has printed its port. */
async function timeStart(): Promise<number> {
  const child = spawn(provider, { stdio: ["pipe", "pipe", "inherit"] });
  try {
    return await time(() => once(child.stdout, "data"));
  } finally {
    await end(child);
  }
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, "exit");
  child.kill("SIGINT");
  await ended;
}

/** The same reads, and for each write one that is as good, one after the other. */
async function askAll({ world }: BenchLab, requested: readonly LoggedRequest[]): Promise<void> {
  const { env, cloudflare, zoneIds } = world;
  const headers = { authorization: `Bearer ${env["CLOUDFLARE_API_TOKEN"]}` };
  const zone = zoneIds.get("fabrikam.test") ?? "";
  for (const { kind, path, sequence } of requested) {
    const record = { name: "bench", type: "TXT", content: `"${sequence}"`, ttl: 1 };
    const response = await (kind === "read"
      ? fetch(cloudflare.url + path, { headers })
      : fetch(`${cloudflare.url}/zones/${zone}/dns_records/batch`, {
          method: "POST",
          headers,
          body: JSON.stringify({ posts: [record] }),
        }));
    if (!response.ok) throw new Error(`${kind} ${path}: ${await response.text()}`);
    await response.json();
  }
}
