/**
 * Tenants of the real program whose lives the crash matrix disturbs: onboarded, changed, offboarded by the real
 * engine. Their gateway keeps its routes in an emulated AWS account; its slots are acted.
 */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { RecordSpec } from "../lab/cloudflare/index.ts";
import type { PulumiRun } from "../lab/pulumi.ts";
import { testNet } from "../lab/test-net.ts";
import { gateway, mx, type TenantLab, type TenantZone, txt } from "./tenant.ts";
import { startWriteProxy, type WriteProxy } from "./write-proxy.ts";

/**
 * What the change does beside another Server and other MX of the gateway: with the Relay Server comes a password, and
 * without it the domain's SPF record names the gateway.
 */
export const STYLES = ["gains-relay", "loses-relay"] as const;
export type Style = (typeof STYLES)[number];

export type Phase = "up" | "change" | "again" | "destroy";

/** In the order of a life. Mail leaves without the Relay Server only once SPF names the gateway: in a second run. */
export const PHASES: Readonly<Record<Style, readonly Phase[]>> = {
  "gains-relay": ["up", "change", "destroy"],
  "loses-relay": ["up", "change", "again", "destroy"],
};

/** The stacks of gateways before and after the change: other MX, the same routes. */
export const FLEETS = { up: "fleet", change: "fleet-moved" } as const;

/** What the gateway's stack says of its MX. A preference changes, a target comes and one goes. */
export const FLEET_MX = {
  up: [
    { exchange: "smtp-in.gateway.test", preference: 10 },
    { exchange: "mx1.gateway.test", preference: 30 },
  ],
  change: [
    { exchange: "smtp-in.gateway.test", preference: 5 },
    { exchange: "mx2.gateway.test", preference: 20 },
  ],
} as const;

/** A place where tenants live: DNS, Cloudflare, an AWS account with a route store, the gateway's stacks. */
export interface CrashPlace {
  readonly lab: TenantLab;
  /** Where AWS's API is. */
  readonly aws: string;
  readonly env: Readonly<Record<string, string>>;
  /** For each tenant another one: 0 to 255. */
  readonly newNumber: () => number;
}

export interface CrashTenant extends AsyncDisposable {
  readonly stack: string;
  readonly domain: string;
  readonly organisation: string;
  /** Tells its addresses from those of other tenants. */
  readonly number: number;
  readonly zone: TenantZone;
  /** The records before the first run. */
  readonly initial: readonly RecordSpec[];
  /** The name of its token in the log of Cloudflare's API. */
  readonly token: string;
  /** Between its runs and AWS's API. */
  readonly proxy: WriteProxy;
  /** Starts a phase. */
  start(phase: Phase): Promise<PulumiRun>;
  /** What its runs and commands are given. */
  readonly env: Readonly<Record<string, string>>;
}

/** The Relay Server, and its login. */
export const RELAY = "relay.mail-host.test";
export const RELAY_USER = "gateway";
export const RELAY_PASSWORD = "correct horse battery staple";

const TEMPLATE = "template";

/** Makes the gateway's stacks, and the file whose secrets every tenant's file copies. */
export async function preparePlace(
  parts: Omit<CrashPlace, "newNumber">,
  outputs: Readonly<Record<string, unknown>>,
): Promise<CrashPlace> {
  let last = -1;
  const newNumber = () => {
    last += 1;
    return last;
  };
  const place = { ...parts, newNumber };
  const { project } = place.lab;
  for (const phase of ["up", "change"] as const) {
    await importStack(place, FLEETS[phase], { ...gateway, ...outputs, mx: FLEET_MX[phase] });
  }
  await project.addStack(TEMPLATE, "config: {}\n");
  const password = ["--path", "mail:relayPasswords.relay", RELAY_PASSWORD];
  const set = ["config", "set", "--secret", ...password];
  const { exitCode, stderr } = await project.run(TEMPLATE, set);
  if (exitCode !== 0) throw new Error(`The password was not set: ${stderr}`);
  return place;
}

/** A stack that has nothing but outputs. */
async function importStack(
  { lab: { project } }: CrashPlace,
  name: string,
  outputs: Readonly<Record<string, unknown>>,
): Promise<void> {
  await project.addStack(name, "config: {}\n");
  const type = "pulumi:pulumi:Stack";
  const urn = `urn:pulumi:${name}::mail::${type}::mail-${name}`;
  const deployment = { resources: [{ urn, custom: false, type, outputs }] };
  const file = join(project.directory, `${name}.json`);
  await writeFile(file, JSON.stringify({ version: 3, deployment }));
  const { exitCode, stderr } = await project.run(name, ["stack", "import", "--file", file]);
  if (exitCode !== 0) throw new Error(`The gateway's stack was not imported: ${stderr}`);
}

export async function startTenant(place: CrashPlace, style: Style): Promise<CrashTenant> {
  const { lab } = place;
  const number = place.newNumber();
  // Of one length, so that long texts in DNS are cut at the same places.
  const stack = `life${String(number).padStart(3, "0")}`;
  const { project, world } = lab;
  const domain = `${stack}.test`;
  const organisation = `org-${stack}`;
  const zone = await lab.addZone(domain, [
    { ...mx(domain, 10, `mail.${domain}`), ttl: 3600 },
    { ...mx(domain, 20, "backup.mail-host.test"), ttl: 300, comment: "the old backup" },
    txt(domain, `v=spf1 a:mail.${domain} -all`),
    txt(domain, "a-verification=1"),
    { name: `mail2.${domain}`, type: "A", content: `${testNet}.2.9` },
  ]);
  const proxy = await startWriteProxy(`${testNet}.5.2`, place.aws);
  const token = `token-${stack}`;
  const file = join(project.directory, "stacks", `Pulumi.${stack}.yaml`);
  const template = await readYaml(join(project.directory, "stacks", `Pulumi.${TEMPLATE}.yaml`));
  const write = async (phase: Phase) => {
    if (phase !== "up" && phase !== "change") return;
    const config = { ...template.config, ...configOf(organisation, domain, number, phase, style) };
    await writeFile(file, stringify({ ...template, config }));
  };
  await write("up");
  await project.addStack(stack);
  const env = {
    ...place.env,
    AWS_ENDPOINT_URL: proxy.url,
    CLOUDFLARE_API_TOKEN: world.cloudflare.addToken({ name: token, zones: [zone.id] }),
  };
  return {
    stack,
    domain,
    organisation,
    number,
    zone,
    initial: zone.snapshot(),
    token,
    proxy,
    env,
    start: async (phase) => {
      await write(phase);
      const command = phase === "destroy" ? "destroy" : "up";
      return project.start(stack, [command, "--yes", "--skip-preview"], { env });
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

function configOf(
  organisation: string,
  domain: string,
  number: number,
  phase: "up" | "change",
  style: Style,
): Readonly<Record<string, unknown>> {
  const login = { user: RELAY_USER, passwordName: "relay" };
  const relayServer = { host: RELAY, port: 587, tls: "required", login };
  const hasRelay = (style === "gains-relay") === (phase === "change");
  return {
    "mail:organisation": organisation,
    "mail:gateway": { stack: `organization/mail/${FLEETS[phase]}` },
    "mail:domains": [
      {
        name: domain,
        mailSystem: "exchange",
        server: phase === "up" ? `mail.${domain}` : `mail2.${domain}`,
        inbound: "border",
        outbound: "standard",
        overlapSeconds: 0,
        rcptLookup: [`info@${domain}`],
        sendingFrom: [`11.${number}.33.44`],
        ...(hasRelay && { relayServer }),
        probeRecipient: `info@${domain}`,
        fixIt: "https://help.example.com/",
        // The former MX are those of the former Server.
        ...(phase === "change" && { handBackTo: handBackTo(domain) }),
      },
    ],
  };
}

/** The MX that a tenant has after its life. */
export function handBackTo(domain: string) {
  return [{ exchange: `mail2.${domain}`, preference: 15 }];
}

async function readYaml(file: string): Promise<{ readonly config: object }> {
  const value: unknown = parse(await readFile(file, "utf8"));
  if (!isStackFile(value)) throw new Error(`${file} is no stack file`);
  return value;
}

function isStackFile(value: unknown): value is { readonly config: object } {
  return (
    typeof value === "object" &&
    value !== null &&
    "config" in value &&
    typeof value.config === "object" &&
    value.config !== null
  );
}
