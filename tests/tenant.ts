/** For the tests of the whole: the lab, the real engine, tenants' zones and tenants' stacks. */
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { domainToASCII } from "node:url";
import { stringify } from "yaml";
import type { z } from "zod";
import type { domain, tenant } from "../config/tenant.ts";
import type { RecordSpec, ZoneSpec } from "../lab/cloudflare/index.ts";
import {
  createProject,
  type PulumiProject,
  type PulumiResult,
  type PulumiRun,
  type RunOptions,
} from "../lab/pulumi.ts";
import { testNet } from "../lab/test-net.ts";
import { startWorld, type World, type WorldOptions } from "../lab/world.ts";

/** The gateway of the lab's example world. */
export const gateway = {
  mx: [{ exchange: "smtp-in.gateway.test", preference: 10 }],
  smtpIn: "smtp-in.gateway.test",
  smtpRelay: "smtp-relay.gateway.test",
  spfInclude: "_spf.gateway.test",
};

/** The gateway's MX as name servers answer it. */
export const gatewayMx = ["10 smtp-in.gateway.test"];

export const gatewayTerm = "include:_spf.gateway.test";

/** What a test says of a domain; the rest is what most domains have. */
export type DomainEntry = Partial<z.input<typeof domain>> & { readonly name: string };

export interface TenantFile {
  /** @default "contoso" */
  readonly organisation?: string;
  /** @default the gateway of the example world */
  readonly gateway?: z.input<typeof tenant>["gateway"];
  /** Configuration beside that of the tenant. */
  readonly config?: Readonly<Record<string, string>>;
  readonly domains: readonly DomainEntry[];
}

export interface TenantZone {
  readonly id: string;
  readonly name: string;
  readonly snapshot: () => readonly RecordSpec[];
}

/** The zone's one SPF record, as Cloudflare has it. @throws if there is not one */
export function spfOf({ name, snapshot }: TenantZone): string {
  const [record, ...others] = snapshot().filter(({ content }) => content.includes("v=spf1"));
  if (record !== undefined && others.length === 0) return record.content;
  throw new Error(`${name} has ${others.length + (record ? 1 : 0)} SPF records.`);
}

/** The exchanges of the zone's MX. */
export function mxOf({ snapshot }: TenantZone): string[] {
  return snapshot().flatMap(({ type, content }) => (type === "MX" ? [content] : []));
}

/** A resource as the state has it. Secrets are encrypted. */
export interface StoredResource {
  readonly urn: string;
  readonly type: string;
  readonly id?: string;
  readonly inputs?: Readonly<Record<string, unknown>>;
  readonly outputs?: Readonly<Record<string, unknown>>;
  readonly initErrors?: readonly string[];
}

/** A finished run. */
export interface Run extends PulumiResult {
  /** All that it printed. */
  readonly text: string;
}

export interface TenantStack {
  readonly name: string;
  /** Replaces what the stack file says of the tenant. */
  write(file: TenantFile): Promise<void>;
  /** Replaces all of the configuration, whether it makes sense or not. */
  writeConfig(config: Readonly<Record<string, unknown>>): Promise<void>;
  /** Without a preview before it, as the other runs are. */
  up(args?: readonly string[], options?: RunOptions): Promise<Run>;
  destroy(args?: readonly string[], options?: RunOptions): Promise<Run>;
  refresh(args?: readonly string[], options?: RunOptions): Promise<Run>;
  preview(args?: readonly string[], options?: RunOptions): Promise<Run>;
  run(args: readonly string[], options?: RunOptions): Promise<Run>;
  /** Runs without waiting for the end. */
  start(args: readonly string[], options?: RunOptions): PulumiRun;
  /** The resources in the state. */
  resources(): Promise<readonly StoredResource[]>;
  /** The stack's outputs, read from the state. */
  outputs(): Promise<Readonly<Record<string, unknown>>>;
}

export interface TenantLab extends AsyncDisposable {
  readonly world: World;
  readonly project: PulumiProject;
  /** A zone with these records and an address for `mail.<name>`, the Server of its domain. */
  addZone(
    name: string,
    records: readonly RecordSpec[],
    options?: Partial<ZoneSpec>,
  ): Promise<TenantZone>;
  addStack(name: string, file: TenantFile): Promise<TenantStack>;
  /** Only the stack's file: the backend does not know the stack yet. */
  addStackFile(name: string, file: TenantFile): Promise<void>;
  /** Everything that the engine has stored for all stacks, with its copies and history. */
  storedState(): Promise<string>;
}

export interface TenantLabOptions {
  /** The text of another `index.ts`, in which it imports as if it lay in the checkout. */
  readonly program?: string;
  /** See `WorldOptions`. */
  readonly gateway?: WorldOptions["gateway"];
}

/** Starts a world of its own for the test file, with a project without stacks. */
export async function startTenantLab(options: TenantLabOptions = {}): Promise<TenantLab> {
  const { program, gateway: kind = "stand-in" } = options;
  await using parts = new AsyncDisposableStack();
  const world = parts.use(await startWorld({ net: testNet, gateway: kind }));
  const { directory, env } = world;
  const source = program === undefined ? {} : { source: await projectWith(program, directory) };
  const project = await createProject({ directory, env, ...source });
  const owned = parts.move();
  return {
    world,
    project,
    addZone: async (name, records, zone = {}) => {
      const id = await world.cloudflare.addZone({ name, ...zone });
      const server = { name: `mail.${name}`, type: "A", content: `${testNet}.2.9` };
      await world.cloudflare.seed(id, [server, ...records]);
      return { id, name, snapshot: () => world.cloudflare.snapshot(id) };
    },
    addStack: async (name, file) => {
      await project.addStack(name, stringify({ config: configOf(file) }));
      setUpGateway(world, file);
      const stack = tenantStack(project, name);
      const write = (changed: TenantFile) => {
        setUpGateway(world, changed);
        return stack.write(changed);
      };
      return { ...stack, write };
    },
    addStackFile: async (name, file) => {
      setUpGateway(world, file);
      await project.writeStackFile(name, stringify({ config: configOf(file) }));
    },
    storedState: () => storedStateOf(project),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** Whoever runs the lab's gateway gives it the domains before their MX move. */
function setUpGateway({ gateway: standIn }: World, { domains }: TenantFile): void {
  for (const { name, server = `mail.${name}` } of domains) {
    const domainName = domainToASCII(name);
    if (standIn?.routes.has(domainName) === false) standIn.routes.set(domainName, { server });
  }
}

/** A `mx` and a `txt` record of a zone. */
export function mx(name: string, priority: number, content: string): RecordSpec {
  return { name, type: "MX", content, priority };
}

export function txt(name: string, text: string): RecordSpec {
  return { name, type: "TXT", content: `"${text}"` };
}

/** @throws with all that was printed, if the run failed */
export async function succeeded(run: Promise<Run>): Promise<Run> {
  const finished = await run;
  if (finished.exitCode === 0) return finished;
  throw new Error(`pulumi ended with ${finished.exitCode}:\n${finished.text}`);
}

/** @throws with all that was printed, if the run did not fail */
export async function failed(run: Promise<Run>): Promise<Run> {
  const finished = await run;
  if (finished.exitCode !== 0) return finished;
  throw new Error(`pulumi was expected to fail:\n${finished.text}`);
}

export function tenantStack(project: PulumiProject, name: string): TenantStack {
  const run = async (args: readonly string[], options?: RunOptions) => {
    const result = await project.run(name, args, options);
    return { ...result, text: `${result.stdout}\n${result.stderr}` };
  };
  const changing =
    (command: string) =>
    (args: readonly string[] = [], options?: RunOptions) =>
      run([command, "--yes", "--skip-preview", ...args], options);
  const writeConfig = (config: Readonly<Record<string, unknown>>) =>
    project.configure(name, config);
  const resources = () => storedResources(project, name);
  return {
    name,
    write: (file) => writeConfig(configOf(file)),
    writeConfig,
    up: changing("up"),
    destroy: changing("destroy"),
    refresh: changing("refresh"),
    preview: (args = [], options) => run(["preview", ...args], options),
    run,
    start: (args, options) => project.start(name, args, options),
    resources,
    outputs: async () => {
      const stack = (await resources()).find(({ type }) => type === "pulumi:pulumi:Stack");
      return stack?.outputs ?? {};
    },
  };
}

/** Most domains have no mail system here that could be asked before the hand-back. */
const BORDER = { overlapSeconds: 0, handBackConfirmed: true };

function configOf({
  organisation = "contoso",
  gateway: hosts = gateway,
  domains,
  config,
}: TenantFile) {
  return {
    ...config,
    "mail:organisation": organisation,
    "mail:gateway": hosts,
    "mail:domains": domains.map((entry) => ({
      mailSystem: "other",
      server: `mail.${entry.name}`,
      inbound: "border",
      outbound: "standard",
      ...(entry.inbound === undefined || entry.inbound === "border" ? BORDER : {}),
      // Who may stop to send is what tests/drain.test.ts is about.
      quietSeconds: 0,
      ...entry,
    })),
  };
}

/** The checkout with another program. */
export async function projectWith(program: string, directory: string): Promise<string> {
  const checkout = join(import.meta.dirname, "..");
  const source = join(directory, "source");
  await mkdir(source);
  for (const name of await readdir(checkout)) {
    if (name !== "index.ts") await symlink(join(checkout, name), join(source, name));
  }
  await writeFile(join(source, "index.ts"), program);
  return source;
}

/** Everything that the engine has stored for all stacks of a project. */
export function storedStateOf(project: PulumiProject): Promise<string> {
  return readAll(stateFolder(project));
}

function stateFolder({ env }: PulumiProject): string {
  return (env["PULUMI_BACKEND_URL"] ?? "").replace("file://", "");
}

interface Checkpoint {
  readonly checkpoint: { readonly latest?: { readonly resources?: readonly StoredResource[] } };
}

async function storedResources(project: PulumiProject, stack: string) {
  const file = join(stateFolder(project), ".pulumi", "stacks", "mail", `${stack}.json`);
  const stored: unknown = JSON.parse(await readFile(file, "utf8"));
  if (!isCheckpoint(stored)) throw new Error(`not a checkpoint: ${JSON.stringify(stored)}`);
  return stored.checkpoint.latest?.resources ?? [];
}

function isCheckpoint(stored: unknown): stored is Checkpoint {
  return typeof stored === "object" && stored !== null && "checkpoint" in stored;
}

async function readAll(folder: string): Promise<string> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const texts = files.map(({ parentPath, name }) => readFile(join(parentPath, name), "utf8"));
  return (await Promise.all(texts)).join("\n");
}
