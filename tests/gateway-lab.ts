/** For the tests of a gateway's stack: the lab's DNS, Cloudflare and AWS, the real engine, a stack. */
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { exampleNames } from "../config/example-gateway.ts";
import type { Moto } from "../lab/aws/moto.ts";
import { type CertificateAuthority, createAuthority } from "../lab/certificates.ts";
import { type LabCloudflare, startCloudflare } from "../lab/cloudflare/index.ts";
import { type LabDns, startDns } from "../lab/dns.ts";
import { startGatewayAccount } from "../lab/gateway-account.ts";
import { createProject, type PulumiProject, type PulumiResult } from "../lab/pulumi.ts";
import { testNet as net } from "../lab/test-net.ts";

export interface GatewayLab extends AsyncDisposable {
  readonly directory: string;
  readonly dns: LabDns;
  readonly cloudflare: LabCloudflare;
  readonly zoneId: string;
  readonly moto: Moto;
  readonly authority: CertificateAuthority;
  readonly project: PulumiProject;
  /** A certificate for the gateway's names. */
  issue(): Promise<GatewayChanges>;
  /** Writes the stack's file: the example with these changes. `undefined` leaves a key out. */
  configure(changes: GatewayChanges): Promise<void>;
  /** Runs the CLI on the stack. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<GatewayRun>;
}

export interface GatewayChanges {
  /** It is stored as a secret. */
  readonly "gateway:privateKey"?: string;
  readonly [key: string]: unknown;
}

export interface GatewayRun extends PulumiResult {
  /** All that it printed. */
  readonly text: string;
}

const STACK = "gateway";
const [host, ...otherNames] = exampleNames;

/** Starts a world with an empty account on AWS and an empty zone at Cloudflare. */
export async function startGatewayLab(): Promise<GatewayLab> {
  await using parts = new AsyncDisposableStack();
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "gateway-"))).path;
  const authority = await createAuthority(directory);
  const dns = parts.use(await startDns({ net, directory }));
  const cloudflare = parts.use(await startCloudflare({ net, dns }));
  const account = parts.use(await startGatewayAccount({ net, directory, cloudflare }));
  const { moto, zoneId } = account;
  const env = {
    ...account.env,
    CLOUDFLARE_BASE_URL: cloudflare.url,
    CLOUDFLARE_API_TOKEN: cloudflare.addToken({ name: "operator" }),
    MXHERO_RESOLVERS: dns.resolver,
    NODE_EXTRA_CA_CERTS: authority.file,
  };
  const project = await createProject({ directory, env });
  await project.addStack(STACK, "config: {}\n");
  const run = async (args: readonly string[], more: Readonly<Record<string, string>> = {}) => {
    const result = await project.run(STACK, args, { env: more });
    return { ...result, text: `${result.stdout}\n${result.stderr}` };
  };
  const base = { ...account.config, "gateway:deletionProtection": false };
  const owned = parts.move();
  return {
    directory,
    dns,
    cloudflare,
    zoneId,
    moto,
    authority,
    project,
    issue: async () => {
      const { cert, key } = await authority.issue(host, { otherNames });
      return { "gateway:certificate": cert, "gateway:privateKey": key };
    },
    configure: async ({ "gateway:privateKey": key, ...changes }) => {
      await project.writeStackFile(STACK, stringify({ config: { ...base, ...changes } }));
      if (key === undefined) return;
      // A text that begins with a dash would be taken for an option.
      const secret = [
        "--secret",
        "gateway:privateKey",
        `
${key}`,
      ];
      const { exitCode, text } = await run(["config", "set", ...secret]);
      if (exitCode !== 0) throw new Error(text);
    },
    run,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/** @throws with all that was printed, if the run failed */
export async function succeeded(run: Promise<GatewayRun>): Promise<GatewayRun> {
  const finished = await run;
  if (finished.exitCode === 0) return finished;
  throw new Error(`pulumi ended with ${finished.exitCode}:\n${finished.text}`);
}

/** @throws with all that was printed, if the run did not fail */
export async function failed(run: Promise<GatewayRun>): Promise<GatewayRun> {
  const finished = await run;
  if (finished.exitCode !== 0) return finished;
  throw new Error(`pulumi was expected to fail:\n${finished.text}`);
}

/** The stack's file of an organisation at the gateway's stack, with one domain. */
export function tenantAtGateway(
  domain: string,
  changes: Readonly<Record<string, unknown>> = {},
): string {
  return stringify({
    config: {
      "mail:organisation": "contoso",
      "mail:gateway": { stack: "organization/mail/gateway" },
      "mail:domains": [
        {
          name: domain,
          mailSystem: "exchange",
          server: `mail.${domain}`,
          inbound: "loopback",
          outbound: "none",
          rcptLookup: true,
          probeRecipient: `info@${domain}`,
          fixIt: "https://help.example.com/",
          ...changes,
        },
      ],
    },
  });
}
