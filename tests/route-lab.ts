/** For tests of the resource `Route`: the real engine, a route store in an emulated AWS account, its slots. */
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stringify } from "yaml";
import { type Moto, startMoto } from "../lab/aws/moto.ts";
import { createRouteTable, type LabRouteStore } from "../lab/aws/route-table.ts";
import { createProject, type PulumiProject } from "../lab/pulumi.ts";
import { testNet } from "../lab/test-net.ts";
import { RouteStore } from "../store/route-store.ts";
import { projectWith, storedStateOf, type TenantStack, tenantStack } from "./tenant.ts";
import { startAgents, type TestAgents } from "./test-agents.ts";

/** What a test says of a route; the rest is what most have. */
export interface RouteEntry {
  readonly domain: string;
  /** The resource's name. @default the domain */
  readonly name?: string;
  readonly [input: string]: unknown;
}

export interface RouteLab extends AsyncDisposable {
  readonly moto: Moto;
  readonly options: LabRouteStore;
  readonly store: RouteStore;
  readonly agents: TestAgents;
  readonly project: PulumiProject;
  /** A stack whose program has these routes. */
  addStack(name: string, routes: readonly RouteEntry[]): Promise<TenantStack>;
  /** Replaces the stack's routes. */
  write(stack: TenantStack, routes: readonly RouteEntry[]): Promise<void>;
  /** Everything that the engine has stored for all stacks, with its copies and history. */
  storedState(): Promise<string>;
}

/** `$password` stands for a secret of the stack, which the program hands on without calling it one. */
const program = `
import { Config } from "@pulumi/pulumi/config.js";
import { Route } from "./provider/sdk.ts";

const config = new Config("test");
const text = config.require("routes").replaceAll("$password", config.get("password") ?? "");
for (const { name, ...args } of JSON.parse(text)) new Route(name, args);
`;

export async function startRouteLab(slots: readonly string[]): Promise<RouteLab> {
  await using parts = new AsyncDisposableStack();
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "route-"))).path;
  const moto = parts.use(await startMoto({ address: `${testNet}.5.1`, directory }));
  const options = await createRouteTable(moto);
  // The SDK looks for credentials there.
  Object.assign(process.env, moto.env);
  const store = parts.use(new RouteStore(options));
  const agents = parts.use(await startAgents(store, slots));
  const source = await projectWith(program, directory);
  const project = await createProject({ directory, env: moto.env, source });
  const owned = parts.move();
  const configOf = (routes: readonly RouteEntry[]) => ({
    "test:routes": routes.map((entry) => withDefaults(entry, options)),
  });
  return {
    moto,
    options,
    store,
    agents,
    project,
    addStack: async (name, routes) => {
      await project.addStack(name, stringify({ config: configOf(routes) }));
      return tenantStack(project, name);
    },
    write: (stack, routes) => stack.writeConfig(configOf(routes)),
    storedState: () => storedStateOf(project),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function withDefaults(entry: RouteEntry, options: LabRouteStore) {
  const { table, region, secretPrefix, keyId } = options;
  return {
    name: entry.domain,
    organisation: "contoso",
    store: { table, region, secretPrefix, keyId },
    gatewayHosts: ["smtp-in.gateway.test", "smtp-relay.gateway.test"],
    nextHops: "public",
    server: `mail.${entry.domain}`,
    mxLookup: false,
    rcptLookup: "probe",
    inbound: true,
    outbound: "none",
    sendingFrom: [],
    probeRecipient: `info@${entry.domain}`,
    fixIt: "https://help.example.com/",
    excludeSlots: [],
    ...entry,
  };
}
