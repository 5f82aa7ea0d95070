/**
 * A tenant's whole life, again and again: onto the gateway by `pulumi up`, a change, off it by `pulumi destroy`,
 * with what its administrator does in the mail system in between.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { labMilliseconds, longestKept, recordSeconds } from "./clock.ts";
import type { Tenant } from "./tenant.ts";

export const changes = ["other Server", "bypass", "outbound off and on"] as const;
export type LifeChange = (typeof changes)[number];

export type Phase = "off the gateway" | "going on" | "on the gateway" | "changing" | "going off";

/** What a tenant's stack was in from then on. */
export interface PhaseBegin {
  readonly tenant: string;
  readonly phase: Phase;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

export interface LifeOptions {
  readonly change: LifeChange;
  /** How long it stays as it is between two steps, in milliseconds of the lab. */
  readonly restMilliseconds: number;
  readonly onPhase: (begin: PhaseBegin) => void;
}

/** A run of Pulumi that failed; the message holds what it printed. */
export class SoakRunError extends Error {
  override readonly name = "SoakRunError";
}

/** One cycle. Before and after, the tenant's mail goes the direct way. @throws {SoakRunError} */
export async function liveOnce(tenant: Tenant, options: LifeOptions): Promise<void> {
  const { change, restMilliseconds } = options;
  const begin = (phase: Phase) =>
    options.onPhase({ tenant: tenant.spec.name, phase, at: Date.now() });
  const rest = () => sleep(restMilliseconds);
  begin("going on");
  await tenant.configure({});
  await up(tenant);
  begin("on the gateway");
  await connect(tenant);
  await lockDown(tenant);
  await rest();
  begin("changing");
  await changeOf[change](tenant, rest);
  begin("on the gateway");
  await rest();
  begin("going off");
  await leave(tenant);
  begin("off the gateway");
  await rest();
}

type Change = (tenant: Tenant, rest: () => Promise<void>) => Promise<void>;

const changeOf: Readonly<Record<LifeChange, Change>> = {
  "other Server": async (tenant) => {
    tenant.current = tenant.current === 0 ? 1 : 0;
    await tenant.configure({ handBackTo: tenant.current });
    await up(tenant);
  },
  bypass: async (tenant, rest) => {
    tenant.lock(false);
    await tenant.configure({ bypass: true });
    await up(tenant);
    await rest();
    await tenant.configure({});
    await up(tenant);
    await lockDown(tenant);
  },
  "outbound off and on": async (tenant, rest) => {
    await disconnect(tenant);
    await tenant.configure({ outbound: "none" });
    await up(tenant);
    await rest();
    await tenant.configure({});
    await up(tenant);
    await connect(tenant);
  },
};

async function up(tenant: Tenant): Promise<void> {
  await succeed(tenant, "up");
}

/** The administrator waits until receivers know the SPF record that names the gateway. */
async function connect(tenant: Tenant): Promise<void> {
  await sleep(labMilliseconds(recordSeconds * longestKept));
  tenant.connector = true;
}

/** What the mail system has begun to hand over is handed over first. */
async function disconnect(tenant: Tenant): Promise<void> {
  tenant.connector = false;
  await sleep(handOverMilliseconds);
}

const handOverMilliseconds = 2000;

/** The administrator waits until no sender knows the former MX any more, the careless ones included. */
async function lockDown(tenant: Tenant): Promise<void> {
  if (!tenant.spec.locks) return;
  await sleep(labMilliseconds(recordSeconds * longestKept));
  tenant.lock(true);
}

async function leave(tenant: Tenant): Promise<void> {
  tenant.lock(false);
  await disconnect(tenant);
  await succeed(tenant, "destroy");
}

async function succeed(tenant: Tenant, command: "up" | "destroy"): Promise<void> {
  const { exitCode, stdout, stderr } = await tenant.run(command);
  if (exitCode === 0) return;
  const { name } = tenant.spec;
  throw new SoakRunError(
    `pulumi ${command} of ${name} ended with ${exitCode}:\n${stdout}\n${stderr}`,
  );
}
