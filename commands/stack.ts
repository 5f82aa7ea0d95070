/**
 * A stack as the Pulumi CLI tells of it: its configuration, its state, and whether it is locked.
 *
 * Only commands that read are run: `config`, `stack export`, `stack output`, `whoami`.
 */
import { readdir, readFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { parse } from "yaml";
import { z } from "zod";
import type { StackConfiguration } from "../config/stack-configuration.ts";
import { MailRuleError } from "../mail/errors.ts";
import { TLS_LEVELS } from "../mail/route.ts";
import { mxTakeoverOutputs } from "../provider/mx-takeover-schema.ts";
import { routeOutputs } from "../provider/route-schema.ts";
import { readSettings, type Settings } from "../provider/settings.ts";
import { spfIncludeOutputs } from "../provider/spf-include-schema.ts";

export type StoredTakeover = z.output<typeof takeover>;
export type StoredSpfInclude = z.output<typeof spfInclude>;
export type StoredRoute = z.output<typeof route>;

/** A call of the provider that was begun and of which nobody knows the end. */
export interface PendingOperation {
  readonly urn: string;
  /** `creating`, `updating`, `deleting`, `reading`, `importing`. */
  readonly type: string;
  /** Absent where the resource is none of ours. */
  readonly domain: string | undefined;
}

export interface StackState {
  /** When the state was last written. */
  readonly written: string | undefined;
  readonly takeovers: readonly StoredTakeover[];
  readonly spfIncludes: readonly StoredSpfInclude[];
  readonly routes: readonly StoredRoute[];
  readonly pending: readonly PendingOperation[];
}

const TAKEOVER = "mxhero:index:MxTakeover";
const SPF_INCLUDE = "mxhero:index:SpfInclude";
const ROUTE = "mxhero:index:Route";

const stored = {
  urn: z.string(),
  initErrors: z.array(z.string()).default([]),
  /** When the state last changed it; absent in states of old. ISO 8601, UTC. */
  modified: z.string().optional(),
};
const takeover = z.object({ ...stored, outputs: mxTakeoverOutputs.strip() });
const spfInclude = z.object({ ...stored, outputs: spfIncludeOutputs.strip() });
// The password is encrypted here.
const relayServer = z.object({
  host: z.string(),
  port: z.number(),
  tls: z.enum(TLS_LEVELS),
  login: z.object({ user: z.string() }).exactOptional(),
});
// Not all of it.
const routeParts = routeOutputs
  .pick({
    domain: true,
    claim: true,
    store: true,
    gatewayHosts: true,
    server: true,
    mxLookup: true,
    rcptLookup: true,
    recipients: true,
    inbound: true,
    outbound: true,
    sendingFrom: true,
    probeRecipient: true,
    fixIt: true,
    excludeSlots: true,
    inactive: true,
    formerGateways: true,
    awaitsSpf: true,
  })
  .extend({ relayServer: relayServer.exactOptional() })
  .strip();
const route = z.object({ ...stored, outputs: routeParts });
const resource = z.looseObject({ type: z.string() });
const operation = z.object({
  type: z.string(),
  resource: z.object({
    urn: z.string(),
    type: z.string(),
    inputs: z.record(z.string(), z.unknown()).default({}),
  }),
});
const exported = z.object({
  deployment: z
    .object({
      manifest: z.object({ time: z.string() }).optional(),
      resources: z.array(resource).default([]),
      pending_operations: z.array(operation).default([]),
    })
    .nullable(),
});
const configValues = z.record(
  z.string(),
  z.object({ value: z.string().default(""), secret: z.boolean().default(false) }),
);
const lock = z.object({ username: z.string(), hostname: z.string(), pid: z.number() });

/** @throws MailRuleError `stack-unreadable` */
export async function readState(stack: string): Promise<StackState> {
  const { deployment } = await readJson(exported, ["stack", "export", "--stack", stack]);
  const resources = deployment?.resources ?? [];
  const ofType = (type: string) => resources.filter((entry) => entry.type === type);
  return {
    written: deployment?.manifest?.time,
    takeovers: read(z.array(takeover), ofType(TAKEOVER), "the MxTakeovers in the state"),
    spfIncludes: read(z.array(spfInclude), ofType(SPF_INCLUDE), "the SpfIncludes in the state"),
    routes: read(z.array(route), ofType(ROUTE), "the Routes in the state"),
    pending: (deployment?.pending_operations ?? []).map(({ type, resource: { urn, ...rest } }) => {
      const ours = [TAKEOVER, SPF_INCLUDE, ROUTE].includes(rest.type);
      const { domain } = rest.inputs;
      return { urn, type, domain: ours && typeof domain === "string" ? domain : undefined };
    }),
  };
}

/**
 * The stack's file, and the settings of the provider that it and the environment give.
 *
 * @throws MailRuleError `stack-unreadable`; SettingsError
 */
export async function readConfiguration(
  stack: string,
): Promise<{ configuration: StackConfiguration; settings: Settings }> {
  const args = ["config", "--json", "--show-secrets", "--stack", stack];
  const values = await readJson(configValues, args);
  const entries = Object.entries(values).map(([key, { value }]) => [key, value] as const);
  const prefix = "mxhero:";
  const ofProvider = entries.flatMap(([key, value]) =>
    key.startsWith(prefix) ? [[key.slice(prefix.length), value] as const] : [],
  );
  const {
    version: _version,
    pluginDownloadURL: _url,
    ...configured
  } = Object.fromEntries(ofProvider);
  return {
    settings: readSettings(configured),
    configuration: {
      file: `stacks/Pulumi.${shortName(stack)}.yaml`,
      values: Object.fromEntries(entries),
      isSecret: (key) => values[key]?.secret === true,
      outputsOf: readOutputs,
    },
  };
}

/** @throws MailRuleError `stack-unreadable` */
export function readOutputs(stack: string): Promise<Readonly<Record<string, unknown>>> {
  const args = ["stack", "output", "--json", "--stack", stack];
  return readJson(z.record(z.string(), z.unknown()), args);
}

/**
 * Who locks the stack, in words. A lock is only seen where the backend is a folder; elsewhere the list is
 * empty, and the CLI itself tells of it.
 */
export async function readLocks(stack: string): Promise<string[]> {
  const { url } = await readJson(z.object({ url: z.string() }), ["whoami", "--json"]);
  if (!url.startsWith("file://")) return [];
  const backend = resolve(url.slice("file://".length).replace(/^~/, homedir()));
  const project: unknown = parse(await readFile("Pulumi.yaml", "utf8"));
  const { name } = read(z.object({ name: z.string() }), project, "Pulumi.yaml");
  const folder = join(backend, ".pulumi", "locks", "organization", name, shortName(stack));
  const files = await readdir(folder).catch((error: unknown) => {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return [];
    throw error;
  });
  return Promise.all(
    // Beside each lock lies a file of attributes.
    files
      .filter((file) => file.endsWith(".json"))
      .map(async (file) => {
        const content: unknown = JSON.parse(await readFile(join(folder, file), "utf8"));
        const { username, hostname, pid } = read(lock, content, `the lock ${file}`);
        return `${username}@${hostname}, process ${pid}`;
      }),
  );
}

/** `contoso` of `organization/mail/contoso`. */
function shortName(stack: string): string {
  return stack.split("/").at(-1) ?? stack;
}

async function readJson<T>(schema: z.ZodType<T>, args: readonly string[]): Promise<T> {
  const text = await runPulumi(args);
  return read(schema, JSON.parse(text), commandOf(args));
}

/** A command of the CLI that is no run of the engine. @returns what it printed. @throws MailRuleError `stack-unreadable` */
export async function runPulumi(args: readonly string[]): Promise<string> {
  const flags = ["--non-interactive", "--color", "never"];
  const { stdout, stderr, exitCode, code } = await execa("pulumi", [...args, ...flags], {
    reject: false,
    stdin: "ignore",
  });
  if (exitCode === 0) return stdout;
  throw stackUnreadable(commandOf(args), stderr, code === "ENOENT");
}

function commandOf(args: readonly string[]): string {
  return `pulumi ${args.join(" ")}`;
}

/** @param isMissing the CLI is not on the PATH */
function stackUnreadable(where: string, stderr: string, isMissing: boolean): MailRuleError {
  return new MailRuleError({
    code: "stack-unreadable",
    where,
    problem: isMissing ? "The program pulumi is not on the PATH." : sentence(stderr),
    fix: isMissing
      ? "Install Pulumi, then run again."
      : "Correct what it names (the stack's name, the login, PULUMI_CONFIG_PASSPHRASE), then run again.",
  });
}

function read<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const faults = error.issues.map(({ path, message }) => `${z.core.toDotPath(path)}: ${message}`);
  throw new MailRuleError({
    code: "stack-unreadable",
    where,
    problem: `It has another form than this version knows (${faults.join("; ")}).`,
    fix: "Use the version of this project that last ran pulumi up on the stack.",
    cause: error,
  });
}

/** `error: no stack named 'x' found` as a sentence. */
function sentence(stderr: string): string {
  const text = stderr.trim().replace(/^error: /, "");
  return /[.!]$/.test(text) ? text : `${text}.`;
}
