/**
 * What can happen at a commit of a run, and where a run has commits: every write to Cloudflare's API and to the
 * route store (its passwords included), on either side of the commit.
 */
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { LabCloudflare } from "../lab/cloudflare/index.ts";
import type { PulumiRun } from "../lab/pulumi.ts";
import type { CrashTenant } from "./crash-tenant.ts";
import type { Moment } from "./write-proxy.ts";

export type Api = "dns" | "store";

/** A write of a run. */
export interface Commit {
  readonly api: Api;
  /** Which of the API's writes, from 1. */
  readonly write: number;
}

/** A commit, with one of its sides. */
export interface Point extends Commit {
  readonly moment: Moment;
}

/** A run that is to be damaged. */
export interface Scene {
  readonly run: PulumiRun;
  readonly tenant: CrashTenant;
  readonly cloudflare: LabCloudflare;
  /** What is to be done once the run has ended, the last first. */
  readonly mend: (work: () => unknown) => void;
}

/** Something that breaks. */
export interface Damage {
  /** In words and in names of stacks. */
  readonly name: string;
  /** Whether what was under way at the commit gets no answer: then it is lost before, and unknown after. */
  readonly closes: (api: Api) => boolean;
  readonly happen: (scene: Scene) => Promise<void>;
}

const kill = async (
  { run, mend }: Scene,
  victim: (pids: readonly number[]) => Promise<unknown>,
) => {
  const pids = await run.providerPids();
  if (pids.length === 0) throw new Error("the provider is not running");
  mend(() => untilGone(pids));
  await victim(pids);
};

export const PROVIDER_KILLED: Damage = {
  name: "provider",
  closes: () => true,
  happen: (scene) =>
    kill(scene, async (pids) => {
      for (const pid of pids) process.kill(pid, "SIGKILL");
    }),
};

/** The provider outlives it, reaches its next safe point and ends by itself. */
export const ENGINE_KILLED: Damage = {
  name: "engine",
  closes: () => true,
  happen: (scene) =>
    kill(scene, async () => {
      scene.run.kill("SIGKILL");
      await scene.run.result;
    }),
};

/** Cut off from then on, for the rest of the run. */
export const DNS_CUT: Damage = {
  name: "dns",
  closes: (api) => api === "dns",
  happen: async ({ cloudflare, tenant: { token }, mend }) => {
    const everything = { match: { token }, times: "always" } as const;
    const fault = cloudflare.addFault({ ...everything, fault: "dropped-before-commit" });
    mend(() => fault[Symbol.dispose]());
  },
};

/** As `DNS_CUT`, for whoever runs Pulumi. */
export const STORE_CUT: Damage = {
  name: "store",
  closes: (api) => api === "store",
  happen: async ({ tenant: { proxy }, mend }) => {
    proxy.cut(true);
    mend(() => proxy.cut(false));
  },
};

/** All points of a run that made so many writes. */
export function pointsOf(writes: Readonly<Record<Api, number>>): Point[] {
  const commits = (["store", "dns"] as const).flatMap((api) =>
    Array.from({ length: writes[api] }, (_, index) => ({ api, write: index + 1 })),
  );
  return commits.flatMap((commit) =>
    (["before", "after"] as const).map((moment) => ({ ...commit, moment })),
  );
}

export function describePoint({ api, write, moment }: Point): string {
  return `${moment} write ${write} to ${api === "dns" ? "Cloudflare" : "the store"}`;
}

export interface Strike extends AsyncDisposable {
  /** Whether the run came to the point. */
  readonly isHit: boolean;
}

/** Has it happen at the point of the run. Disposing, once the run has ended, mends what is broken. */
export function strikeAt(
  scene: Omit<Scene, "mend">,
  { api, write, moment }: Point,
  damage: Damage,
): Strike {
  const { cloudflare, tenant } = scene;
  const mending = new AsyncDisposableStack();
  let isHit = false;
  const hit = async () => {
    isHit = true;
    await damage.happen({
      ...scene,
      mend: (work) => mending.defer(async () => void (await work())),
    });
  };
  const closes = damage.closes(api);
  if (api === "store") {
    tenant.proxy.arm({ write, moment, closes, hit });
    mending.defer(() => tenant.proxy.arm());
  } else {
    const occasion = { match: { kind: "write", token: tenant.token } as const, skip: write - 1 };
    mending.use(cloudflare.intercept(moment, occasion, hit));
    if (closes)
      mending.use(cloudflare.addFault({ ...occasion, fault: `dropped-${moment}-commit` }));
  }
  return {
    get isHit() {
      return isHit;
    },
    [Symbol.asyncDispose]: () => mending.disposeAsync(),
  };
}

/** How long an orphaned provider may take to its next safe point. */
const GONE_WITHIN_MS = 30_000;

async function untilGone(pids: readonly number[]): Promise<void> {
  const end = Date.now() + GONE_WITHIN_MS;
  while (pids.some((pid) => existsSync(`/proc/${pid}`))) {
    if (Date.now() > end) throw new Error(`the provider still runs (${pids.join(", ")})`);
    await sleep(20);
  }
}
