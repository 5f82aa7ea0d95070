/**
 * Tries every point of a tenant's life under one kind of damage. A life is struck in each of its phases, at most
 * once; after each phase the world must be as an undisturbed life leaves it there.
 */
import { join } from "node:path";
import { execa } from "execa";
import { expect } from "vitest";
import { z } from "zod";
import type { PulumiResult } from "../lab/pulumi.ts";
import {
  type Damage,
  describePoint,
  ENGINE_KILLED,
  type Point,
  pointsOf,
  strikeAt,
} from "./crash-strikes.ts";
import {
  type CrashPlace,
  type CrashTenant,
  FLEET_MX,
  handBackTo,
  PHASES,
  type Phase,
  STYLES,
  type Style,
  startTenant,
} from "./crash-tenant.ts";
import type { Traces } from "./crash-traces.ts";
import { assertNeverEmptyOrForeign, watchNameServers } from "./watch-name-servers.ts";

export interface Matrix {
  readonly place: CrashPlace;
  /** Lives that go on at once: most of their time they wait for processes, or for a retry. */
  readonly lanes: number;
  /** What a tenant has left by now, in a form that lives share. */
  readonly traces: (tenant: CrashTenant) => Promise<Traces>;
}

/** What an undisturbed life leaves after each phase, and where it has commits. */
export interface Undisturbed extends Pick<CrashTenant, "domain" | "organisation"> {
  readonly style: Style;
  readonly phases: readonly UndisturbedPhase[];
}

interface UndisturbedPhase {
  readonly phase: Phase;
  readonly traces: Traces;
  readonly points: readonly Point[];
  /** The number of the life that is struck at the first point; the next life at the next one. */
  readonly firstLife: number;
}

export interface Outcome {
  readonly points: number;
  /** A line for each. */
  readonly failures: readonly string[];
}

/** @throws if a life fails that nobody disturbs */
export async function liveUndisturbed(
  { place, traces }: Matrix,
  style: Style,
): Promise<Undisturbed> {
  await using tenant = await startTenant(place, style);
  await using watch = watchNameServers(place.lab.world, tenant.domain);
  const phases: UndisturbedPhase[] = [];
  for (const phase of PHASES[style]) {
    tenant.proxy.arm();
    const before = dnsWrites(place, tenant);
    const run = await tenant.start(phase);
    mustHaveEnded(await run.result, phase);
    const writes = {
      store: tenant.proxy.writes.length,
      dns: dnsWrites(place, tenant) - before,
    };
    // A change that is run again may do the work of the run after it: no life is struck in both.
    const firstLife = phase === "again" ? (phases.at(-1)?.points.length ?? 0) : 0;
    phases.push({ phase, traces: await traces(tenant), points: pointsOf(writes), firstLife });
  }
  assertServed(tenant, await watch.stop());
  const { domain, organisation } = tenant;
  return { domain, organisation, style, phases };
}

/** Whether this is `npm run crash`. */
export function triesAll(): boolean {
  return process.env["CRASH_POINTS"] === "all";
}

/** All styles of life with `npm run crash`, else the first. */
export function chosenStyles(): readonly Style[] {
  return triesAll() ? STYLES : [STYLES[0]];
}

/**
 * Lets every point of every phase have the damage.
 *
 * @param isChosen whether a life is lived, by its number from 0. @default all
 */
export async function tryAllPoints(
  matrix: Matrix,
  undisturbed: Undisturbed,
  damage: Damage,
  isChosen: (life: number) => boolean = () => true,
): Promise<Outcome> {
  const counts = undisturbed.phases.map(({ firstLife, points: { length } }) => firstLife + length);
  const all = Array.from({ length: Math.max(...counts) }, (_, index) => index);
  const lives = all.filter(isChosen);
  const failures: string[] = [];
  let points = 0;
  const lane = async () => {
    for (let life = lives.shift(); life !== undefined; life = lives.shift()) {
      const outcome = await liveOnce(matrix, undisturbed, damage, life);
      points += outcome.points;
      failures.push(...outcome.failures);
    }
  };
  await Promise.all(Array.from({ length: matrix.lanes }, lane));
  return { points, failures };
}

async function liveOnce(
  matrix: Matrix,
  undisturbed: Undisturbed,
  damage: Damage,
  life: number,
): Promise<Outcome> {
  const { place } = matrix;
  const { style } = undisturbed;
  await using tenant = await startTenant(place, style);
  await using watch = watchNameServers(place.lab.world, tenant.domain);
  let points = 0;
  let where = `${style}, ${damage.name}, the whole life`;
  try {
    for (const { phase, traces: expected, points: all, firstLife } of undisturbed.phases) {
      const point = all[life - firstLife];
      if (point === undefined) {
        const run = await tenant.start(phase);
        mustHaveEnded(await run.result, phase);
      } else {
        where = `${style}, ${phase}, ${damage.name}, ${describePoint(point)}`;
        points += 1;
        await disturb(place, tenant, phase, damage, point);
      }
      // What was run again may have come further already; the run after it is compared.
      if (phase === "change" && point !== undefined && PHASES[style].includes("again")) continue;
      const left = await matrix.traces(tenant);
      const different = differences(expected, left);
      if (different.length > 0) throw new Error(`after ${phase}:\n${different.join("\n")}`);
    }
    assertServed(tenant, await watch.stop());
    return { points, failures: [] };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const failure = `${where}: ${why}`;
    console.error(failure);
    return { points, failures: [failure] };
  }
}

/** Lines of what is missing, and of what is there too much. */
function differences(expected: Traces, found: Traces): string[] {
  const [before, after] = [linesOf(expected), linesOf(found)];
  return [
    ...before.filter((line) => !after.includes(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !before.includes(line)).map((line) => `+ ${line}`),
    ...(before.length === after.length ? [] : [`${after.length} lines, not ${before.length}`]),
  ];
}

function linesOf(traces: Traces): string[] {
  return Object.entries(traces).flatMap(([kind, lines]) =>
    lines.flat().map((line: string) => `${kind}: ${line}`),
  );
}

/** Runs the phase, has the damage happen, and does what a person does then. */
async function disturb(
  place: CrashPlace,
  tenant: CrashTenant,
  phase: Phase,
  damage: Damage,
  point: Point,
): Promise<void> {
  const { cloudflare } = place.lab.world;
  const run = await tenant.start(phase);
  {
    await using strike = strikeAt({ run, tenant, cloudflare }, point, damage);
    await run.result;
    expect(strike.isHit, "the run came to the point").toBe(true);
  }
  for (const command of await mendingCommands(place, tenant, phase, damage)) {
    const { lab } = place;
    const finished = await lab.project.run(tenant.stack, command, { env: tenant.env });
    mustHaveEnded(finished, command.join(" "));
  }
}

/**
 * After a run that failed: the same command again. After an engine that was killed: what `npm run leftovers`
 * says, if it finds anything.
 */
async function mendingCommands(
  place: CrashPlace,
  tenant: CrashTenant,
  phase: Phase,
  damage: Damage,
): Promise<readonly (readonly string[])[]> {
  const again = [phase === "destroy" ? "destroy" : "up", "--yes", "--skip-preview"];
  if (damage !== ENGINE_KILLED) return [again];
  const { stay, leave } = await askLeftovers(place, tenant);
  const said = phase === "destroy" ? leave : stay;
  return said.length === 0 ? [again] : said.map(unattended);
}

/** `pulumi up --stack contoso` as its arguments, without the stack, and without questions. */
function unattended(command: string): string[] {
  const words = command.split(" ").slice(1);
  const args = words.slice(0, words.indexOf("--stack"));
  return args[0] === "cancel" ? [...args, "--yes"] : [...args, "--yes", "--skip-preview"];
}

const report = z.object({
  mend: z.object({ stay: z.array(z.string()), leave: z.array(z.string()) }),
});

async function askLeftovers({ lab: { project } }: CrashPlace, { stack, env }: CrashTenant) {
  const program = join(import.meta.dirname, "../commands/leftovers.ts");
  const { stdout, stderr } = await execa(process.execPath, [program, stack, "--json"], {
    cwd: project.directory,
    env: { ...project.env, ...env },
    extendEnv: false,
    reject: false,
  });
  if (stdout === "") throw new Error(`No report of what was left behind: ${stderr}`);
  return report.parse(JSON.parse(stdout)).mend;
}

/** Every answer of a name server was of the former MX, the gateway's before or after the change, or the last ones. */
function assertServed(
  { initial, domain }: CrashTenant,
  log: Parameters<typeof assertNeverEmptyOrForeign>[0],
): void {
  const former = initial.filter(({ name, type }) => name === domain && type === "MX");
  assertNeverEmptyOrForeign(
    log,
    former.map(({ priority, content }) => `${priority} ${content}`),
    ...[...Object.values(FLEET_MX), handBackTo(domain)].map((targets) =>
      targets.map(({ preference, exchange }) => `${preference} ${exchange}`),
    ),
  );
}

function dnsWrites({ lab }: CrashPlace, { token }: CrashTenant): number {
  const { requests } = lab.world.cloudflare;
  return requests.filter((request) => request.token === token && request.kind === "write").length;
}

function mustHaveEnded({ exitCode, stdout, stderr }: PulumiResult, what: string): void {
  if (exitCode !== 0) throw new Error(`${what} failed:\n${stdout}\n${stderr}`);
}
