/**
 * Runs programs on the real engine without a process of their own: a language host in the test that registers
 * resources as the SDK would. The project around it is the lab's.
 */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import grpc from "@grpc/grpc-js";
import languageGrpc, {
  type ILanguageRuntimeServer,
} from "@pulumi/pulumi/proto/language_grpc_pb.js";
import languagePb from "@pulumi/pulumi/proto/language_pb.js";
import pluginPb from "@pulumi/pulumi/proto/plugin_pb.js";
import resourceGrpc from "@pulumi/pulumi/proto/resource_grpc_pb.js";
import resourcePb from "@pulumi/pulumi/proto/resource_pb.js";
import { z } from "zod";
import { createProject, type PulumiRun } from "../../lab/pulumi.ts";
import { encode, type Path } from "./wire.ts";

/** What a program registers. */
export interface ToyResource {
  readonly type: string;
  readonly name: string;
  readonly inputs: object;
  readonly secrets?: readonly Path[];
  /** Adopts what has this id. */
  readonly importId?: string;
  /** Belongs to the provider resource registered before it. @default the default provider */
  readonly ownProvider?: boolean;
  readonly version?: string;
}

export type StoredResource = z.output<typeof storedResource>;

export interface ToyProject {
  /** Runs `pulumi <args>` on a program that registers these resources one after the other. */
  start(program: readonly ToyResource[], args: readonly string[]): Promise<PulumiRun>;
  /** What the engine stored. Secrets are encrypted in it. */
  stored(): Promise<readonly StoredResource[]>;
  /** The same as text. */
  state(): Promise<string>;
}

const storedResource = z.object({
  type: z.string(),
  id: z.string().optional(),
  initErrors: z.array(z.string()).optional(),
  inputs: z.record(z.string(), z.unknown()).optional(),
  outputs: z.record(z.string(), z.unknown()).optional(),
});
const checkpoint = z.object({
  checkpoint: z.object({
    latest: z.object({ resources: z.array(storedResource).default([]) }).optional(),
  }),
});

const PROJECT = `name: toys
runtime: nodejs
plugins:
  providers:
    - name: mxhero
      path: .
`;

/** A project with the toy provider and one stack, of which `config` is the configuration. */
export async function createToyProject(
  directory: string,
  env: Readonly<Record<string, string>>,
  config = "",
): Promise<ToyProject> {
  const source = join(directory, "source");
  await mkdir(source);
  const toys = fileURLToPath(new URL("toy-provider.ts", import.meta.url));
  const wrapper = `#!/bin/sh\nexec "${process.execPath}" "${toys}" "$@"\n`;
  await writeFile(join(source, "pulumi-resource-mxhero"), wrapper, { mode: 0o755 });
  await writeFile(join(source, "Pulumi.yaml"), PROJECT);
  await writeFile(join(source, "Pulumi.test.yaml"), config);
  const project = await createProject({ directory, env, source });
  await project.addStack("test");

  const backend = new URL(project.env["PULUMI_BACKEND_URL"] ?? "");
  const file = join(fileURLToPath(backend), ".pulumi", "stacks", "toys", "test.json");
  const state = () => readFile(file, "utf8");
  return {
    state,
    stored: async () =>
      checkpoint.parse(JSON.parse(await state())).checkpoint.latest?.resources ?? [],
    start: async (program, args) => {
      const host = await startLanguageHost(program);
      const client = ["--client", host.address, "--exec-kind", "auto.inline"];
      const run = project.start("test", [...args, ...client]);
      void run.result.finally(() => host.server.forceShutdown());
      return run;
    },
  };
}

async function startLanguageHost(program: readonly ToyResource[]) {
  const server = new grpc.Server();
  const host: Pick<ILanguageRuntimeServer, "getRequiredPlugins" | "getPluginInfo" | "run"> = {
    getRequiredPlugins: (_call, answer) =>
      answer(null, new languagePb.GetRequiredPluginsResponse()),
    getPluginInfo: (_call, answer) => answer(null, new pluginPb.PluginInfo().setVersion("1.0.0")),
    run: ({ request }, answer) => {
      const ended = new languagePb.RunResponse();
      // The engine has already reported why it refused a resource.
      registerAll(program, request)
        .catch(() => ended.setBail(true))
        .finally(() => answer(null, ended));
    },
  };
  server.addService(languageGrpc.LanguageRuntimeService, host);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { server, address: `127.0.0.1:${port}` };
}

async function registerAll(program: readonly ToyResource[], run: languagePb.RunRequest) {
  const monitor = new resourceGrpc.ResourceMonitorClient(
    run.getMonitorAddress(),
    grpc.credentials.createInsecure(),
  );
  const register = (request: resourcePb.RegisterResourceRequest) =>
    new Promise<resourcePb.RegisterResourceResponse>((resolve, reject) => {
      monitor.registerResource(request, (error, response) =>
        error === null ? resolve(response) : reject(error),
      );
    });
  try {
    const stack = new resourcePb.RegisterResourceRequest()
      .setType("pulumi:pulumi:Stack")
      .setName(`${run.getProject()}-${run.getStack()}`);
    const parent = (await register(stack)).getUrn();
    let before: resourcePb.RegisterResourceResponse | undefined;
    for (const resource of program) {
      const request = registration(resource).setParent(parent);
      if (resource.ownProvider && before) {
        request.setProvider(`${before.getUrn()}::${before.getId()}`);
      }
      before = await register(request);
    }
  } finally {
    monitor.close();
  }
}

function registration({ type, name, inputs, secrets, importId, version }: ToyResource) {
  return new resourcePb.RegisterResourceRequest()
    .setType(type)
    .setName(name)
    .setCustom(true)
    .setAcceptsecrets(true)
    .setObject(encode(inputs, secrets))
    .setImportid(importId ?? "")
    .setVersion(version ?? "");
}
