/**
 * A tenant's whole life, again and again: onto the gateway by `pulumi up`, a change, off it by `pulumi destroy`,
 * with what its administrator does in the mail system in between, and sometimes forgets.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { labMilliseconds, longestKept, recordSeconds } from "./clock.ts";
import type { Tenant } from "./tenant.ts";

export const changes = ["other Server", "bypass", "outbound off and on", "inactive"] as const;
export type LifeChange = (typeof changes)[number];

/** What the administrator has not done before `pulumi destroy`, which then stops; it is run again afterwards. */
const oversights = ["nothing", "outbound connector", "lock-down"] as const;
export type Oversight = (typeof oversights)[number];

/** What this one can forget. */
export function oversightsOf({ spec }: Tenant): readonly Oversight[] {
  return oversights.filter((oversight) => spec.locks || oversight !== "lock-down");
}

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
  readonly forgets: Oversight;
  /** How long it stays as it is between two steps, in milliseconds of the lab. */
  readonly restMilliseconds: number;
  readonly onPhase: (begin: PhaseBegin) => void;
}

/** A run of Pulumi that did not end as it has to; the message holds what it printed. */
export class SoakRunError extends Error {
  override readonly name = "SoakRunError";
}

/** One cycle. Before and after, the tenant's mail goes the direct way. @throws {SoakRunError} */
export async function liveOnce(tenant: Tenant, options: LifeOptions): Promise<void> {
  const { change, forgets, restMilliseconds } = options;
  const begin = (phase: Phase) =>
    options.onPhase({ tenant: tenant.spec.name, phase, at: Date.now() });
  const rest = () => sleep(restMilliseconds);
  begin("going on");
  await tenant.configure({});
  await succeed(tenant, "up");
  begin("on the gateway");
  await connect(tenant);
  await lockDown(tenant);
  await rest();
  begin("changing");
  await changeOf[change](tenant, rest);
  begin("on the gateway");
  await rest();
  begin("going off");
  await leave(tenant, forgets);
  begin("off the gateway");
  await rest();
}

type Change = (tenant: Tenant, rest: () => Promise<void>) => Promise<void>;

const changeOf: Readonly<Record<LifeChange, Change>> = {
  "other Server": async (tenant) => {
    tenant.current = tenant.current === 0 ? 1 : 0;
    await tenant.configure({ handBackTo: tenant.current });
    await succeed(tenant, "up");
  },
  bypass: async (tenant, rest) => {
    tenant.lock(false);
    await tenant.configure({ bypass: true });
    await succeed(tenant, "up");
    await rest();
    await tenant.configure({});
    await succeed(tenant, "up");
    await lockDown(tenant);
  },
  "outbound off and on": async (tenant, rest) => {
    await disconnect(tenant);
    await tenant.configure({ outbound: "none" });
    await succeed(tenant, "up");
    await rest();
    await tenant.configure({});
    await succeed(tenant, "up");
    await connect(tenant);
  },
  inactive: async (tenant, rest) => {
    await tenant.configure({ inactive: true });
    await succeed(tenant, "up");
    await rest();
    await tenant.configure({});
    await succeed(tenant, "up");
  },
};

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

/** Slots report every 5 s: mail that only just began to go out again is known to nobody else yet. */
const toldMilliseconds = 15_000;

/**
 * The administrator waits until no sender knows the former MX any more: three times as long as the stack's
 * outputs say, on the soak's clock, for the sake of senders that keep records for longer than they may.
 */
async function lockDown(tenant: Tenant): Promise<void> {
  if (!tenant.spec.locks) return;
  await sleep(labMilliseconds(recordSeconds * longestKept));
  tenant.lock(true);
}

const leaving: Readonly<Record<Oversight, (tenant: Tenant) => Promise<void>>> = {
  nothing: async (tenant) => {
    tenant.lock(false);
    await disconnect(tenant);
  },
  "outbound connector": async (tenant) => {
    tenant.lock(false);
    await sleep(toldMilliseconds);
    await stop(tenant, "outbound-still-sending");
    await disconnect(tenant);
  },
  "lock-down": async (tenant) => {
    await disconnect(tenant);
    await stop(tenant, "hand-back-refused");
    tenant.lock(false);
  },
};

async function leave(tenant: Tenant, forgets: Oversight): Promise<void> {
  await leaving[forgets](tenant);
  await succeed(tenant, "destroy");
}

async function succeed(tenant: Tenant, command: "up" | "destroy"): Promise<void> {
  const { exitCode, stdout, stderr } = await tenant.run(command);
  if (exitCode === 0) return;
  throw unexpected(tenant, `pulumi ${command} ended with ${exitCode}`, stdout + stderr);
}

/** Destroy waits for what can end by itself; where somebody still sends, that is for nothing, and is kept short. */
const shortWait = { MXHERO_WAIT_SECONDS: "20" };

/** The first destroy is refused. @param code of the refusal */
async function stop(tenant: Tenant, code: string): Promise<void> {
  const { exitCode, stdout, stderr } = await tenant.run("destroy", shortWait);
  if (exitCode !== 0 && `${stdout}${stderr}`.includes(`(${code}`)) return;
  throw unexpected(tenant, `pulumi destroy was not refused with ${code}`, stdout + stderr);
}

function unexpected({ spec }: Tenant, what: string, printed: string): SoakRunError {
  return new SoakRunError(`${spec.name}: ${what}:\n${printed}`);
}
