/** The life of one domain that the crash tests disturb: onboarded, moved to other MX targets, offboarded. */
import { expect } from "vitest";
import type { RecordSpec } from "../lab/cloudflare/index.ts";
import { startWorld, type World } from "../lab/world.ts";
import {
  armCrash,
  type CrashPoint,
  comparable,
  crashPoints,
  describePoint,
  remembersFormerMx,
  type Strike,
} from "./crash-points.ts";
import { type Answer, assertNeverEmptyOrForeign, watchNameServers } from "./watch-name-servers.ts";

export const DOMAIN = "contoso.test";

/** An update from the first to the second changes a preference, adds a target and removes one. */
export const GATEWAYS = {
  first: [
    { exchange: "smtp-in.gateway.test", preference: 10 },
    { exchange: "mx1.gateway.test", preference: 30 },
  ],
  second: [
    { exchange: "smtp-in.gateway.test", preference: 5 },
    { exchange: "mx2.gateway.test", preference: 20 },
  ],
} as const;

export type Gateway = keyof typeof GATEWAYS;
export type Step = { readonly up: Gateway; readonly bypass?: boolean } | "destroy";

/** Something that runs `up` and `destroy` and can be killed meanwhile. */
export interface Runner {
  /** Resolves when the run has ended, whatever its end. */
  run(step: Step): Promise<{ readonly ok: boolean; readonly output: string }>;
  /** Kills what runs now, and resolves when it is dead. */
  kill(): Promise<void>;
  /** What a person does before the next run: forgets nothing of the state. */
  recover(): Promise<void>;
  /** A new life: no state. */
  reset(): Promise<void>;
}

/** What the domain has before the first `up`, and what its tenant's file says of it besides. */
export interface Beginning {
  readonly mx: readonly Pick<RecordSpec, "content" | "priority" | "ttl" | "comment">[];
  /** @default the example world's record, which does not rely on the MX */
  readonly spf?: string;
  /** Terms that take the place of `mx` in the SPF record. */
  readonly replaceMx?: readonly string[];
}

/** Two MX, one with a comment and a TTL of its own. */
export const TWO_MX: Beginning = {
  mx: [
    { content: "contoso-test.mail.protection.outlook.test", priority: 0, ttl: 3600 },
    { content: "backup.mail-host.test", priority: 20, ttl: 300, comment: "the old backup" },
  ],
};

export interface Life extends AsyncDisposable {
  readonly world: World;
  readonly zoneId: string;
  readonly initial: readonly RecordSpec[];
}

/** Starts a world in which the domain has two MX. */
export async function startLife(net: string): Promise<Life> {
  const world = await startWorld({ net });
  const zoneId = world.zoneIds.get(DOMAIN);
  if (zoneId === undefined) throw new Error(`The world has no zone ${DOMAIN}`);
  const hosts = [...GATEWAYS.first, ...GATEWAYS.second].map(({ exchange }) => exchange);
  const addresses = [`${net}.1.1`];
  await world.dns.publish(
    "gateway.test",
    [...new Set(hosts)].map((name) => ({ name, type: "A", ttl: 60, records: addresses })),
  );
  const life = { world, zoneId, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
  return beginLife({ ...life, initial: world.cloudflare.snapshot(zoneId) }, TWO_MX);
}

/** Another life in the same world, with its own records at the beginning. */
export async function beginLife(life: Life, { mx, spf }: Beginning): Promise<Life> {
  const { world, zoneId, initial } = life;
  const replaced = ({ name, type, content }: RecordSpec) =>
    name === DOMAIN && (type === "MX" || (spf !== undefined && content.startsWith('"v=spf1')));
  await world.cloudflare.seed(zoneId, [
    ...initial.filter((record) => !replaced(record)),
    ...mx.map((record) => ({ ...record, name: DOMAIN, type: "MX" })),
    ...(spf === undefined ? [] : [{ name: DOMAIN, type: "TXT", content: `"${spf}"` }]),
  ]);
  return { ...life, initial: world.cloudflare.snapshot(zoneId) };
}

export interface Scenario {
  readonly name: string;
  readonly before: readonly Step[];
  readonly disturbed: Step;
}

export const SCENARIOS: readonly Scenario[] = [
  { name: "create", before: [], disturbed: { up: "first" } },
  { name: "update", before: [{ up: "first" }], disturbed: { up: "second" } },
  { name: "delete", before: [{ up: "first" }], disturbed: "destroy" },
];

export interface Trial {
  /** Switches on a fault besides; it is switched off before the run after the crash. */
  readonly disturb?: () => unknown;
  /** @default all */
  readonly moments?: readonly CrashPoint["moment"][];
  /** Which of the points, by number from 0. @default all */
  readonly isTried?: (point: number) => boolean;
  /** @default the run is killed */
  readonly strike?: Strike;
}

/**
 * Tries every point of a scenario: killed there, run again, and destroyed. Returns a line for each
 * failure, and how many points were tried.
 */
export async function tryAllPoints(
  life: Life,
  runner: Runner,
  scenario: Scenario,
  { disturb = () => undefined, moments, isTried = () => true, strike = armCrash }: Trial = {},
): Promise<{ points: number; failures: string[] }> {
  const { cloudflare } = life.world;
  const { before, disturbed } = scenario;
  await startOver(life, runner, before);
  disturb();
  await mustRun(runner, disturbed);
  await cloudflare.settled();
  const points = crashPoints(cloudflare.requests)
    .filter(({ moment }) => moments?.includes(moment) ?? true)
    .filter((_, number) => isTried(number));
  const undisturbed = comparable(cloudflare.snapshot(life.zoneId));
  const failures: string[] = [];
  for (const point of points) {
    await startOver(life, runner, before);
    disturb();
    try {
      await using watch = watchNameServers(life.world, DOMAIN);
      const hook = strike(cloudflare, point, () => runner.kill());
      await runner.run(disturbed);
      expect(hook.count, "the point was reached").toBeGreaterThan(0);
      await converge(life, runner, disturbed, undisturbed);
      assertServed(await watch.stop(), life, scenario);
    } catch (error) {
      failures.push(
        `${describePoint(point)}: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }
  return { points: points.length, failures };
}

/** The zone as at the start, without faults, and the steps before the disturbed one done. */
async function startOver(
  { world, zoneId, initial }: Life,
  runner: Runner,
  before: readonly Step[],
) {
  world.cloudflare.clearFaults();
  await world.cloudflare.settled();
  await runner.reset();
  await world.cloudflare.seed(zoneId, initial);
  for (const step of before) await mustRun(runner, step);
  world.cloudflare.clearLogs();
}

/** What a run left, the same run completes, and a destroy takes back. */
async function converge(
  { world, zoneId, initial }: Life,
  runner: Runner,
  disturbed: Step,
  undisturbed: readonly RecordSpec[],
) {
  const { cloudflare } = world;
  expect(remembersFormerMx(cloudflare.snapshot(zoneId), mxOf(initial)), "the old MX is known").toBe(
    true,
  );
  cloudflare.clearFaults();
  await runner.recover();
  await mustRun(runner, disturbed);
  expect(comparable(cloudflare.snapshot(zoneId))).toEqual(undisturbed);
  if (disturbed !== "destroy") await mustRun(runner, "destroy");
  expect(cloudflare.snapshot(zoneId)).toEqual(initial);
  await cloudflare.settled();
}

/**
 * Every answer, from before the crash until after the destroy, has the former MX and the gateway's only.
 * A domain that had no MX has none before and after, and always some between.
 */
function assertServed(
  log: readonly Answer[],
  { initial }: Life,
  { before, disturbed }: Scenario,
): void {
  const former = mxOf(initial).map(({ priority, content }) =>
    content === "." ? `${priority} ` : `${priority} ${content}`,
  );
  const gateways = [before.at(-1), disturbed].flatMap((step) =>
    typeof step === "object" && step.bypass !== true ? [GATEWAYS[step.up]] : [],
  );
  const taken = gateways.map((mx) =>
    mx.map(({ preference, exchange }) => `${preference} ${exchange}`),
  );
  assertNeverEmptyOrForeign(log, former, ...taken);

  const byServer = Map.groupBy(log, ({ server }) => server);
  const between = [...byServer.values()].flatMap((answers) => answers.slice(1, -1));
  expect(between.filter(({ mx }) => mx.length === 0)).toEqual([]);
}

function mxOf(records: readonly RecordSpec[]): readonly RecordSpec[] {
  return records.filter(({ name, type }) => name === DOMAIN && type === "MX");
}

async function mustRun(runner: Runner, step: Step): Promise<void> {
  const { ok, output } = await runner.run(step);
  if (!ok) throw new Error(`${JSON.stringify(step)} failed:\n${output}`);
}
