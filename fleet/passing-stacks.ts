/**
 * Where the previews run that would write into the backend: those of a stack that it does not have, and of a destroy
 * and a refresh, for which the engine locks the stack even if nothing is to be changed.
 *
 * Where the state is in a folder or a bucket they run in a folder that passes, with a copy of the state: the backend
 * is only read. Pulumi Cloud lets nobody take its keys along; there they run in it, and a new stack is made for that time.
 */
import { copyFile, mkdir, mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { runPulumi } from "../commands/stack.ts";
import type { ChosenStack } from "./choose-stacks.ts";
import type { Operation } from "./engine.ts";
import { exportStack, isStateInFiles, makeStack } from "./known-stacks.ts";
import { namedGateway } from "./named-gateway.ts";

export interface Place {
  /** The stack's file, where it is not at its own place. */
  readonly configFile?: string | undefined;
  /** The backend's URL, where it is another one. */
  readonly backend?: string | undefined;
}

const projectFile = z.object({ name: z.string() });
/** As `pulumi stack export` has it. What is in it is handed on as it is. */
const exported = z.looseObject({ deployment: z.unknown() });
/** What protects the secrets of a state: a passphrase, or a key elsewhere. As a stack's file has it. */
const protection = z
  .object({
    deployment: z.object({
      secrets_providers: z.object({
        state: z.object({
          salt: z.string().optional(),
          url: z.string().optional(),
          encryptedkey: z.string().optional(),
        }),
      }),
    }),
  })
  .transform(({ deployment }) => {
    const { salt, url, encryptedkey } = deployment.secrets_providers.state;
    return { encryptionsalt: salt, secretsprovider: url, encryptedkey };
  })
  .catch({ encryptionsalt: undefined, secretsprovider: undefined, encryptedkey: undefined });

export class PassingStacks {
  readonly #project: string;
  readonly #folder: string;
  #inFiles: Promise<boolean> | undefined;

  /** @param folder takes the copies, and passes with the run */
  constructor(project: string, folder: string) {
    this.#project = project;
    this.#folder = folder;
  }

  /** @param state what `exportStack` gave, where it is there already */
  async preview<T>(
    chosen: ChosenStack,
    operation: Operation,
    work: (place: Place) => Promise<T>,
    state?: string,
  ): Promise<T> {
    const { stack, isKnown, formerFile } = chosen;
    if (isKnown && operation === "preview") return work({ configFile: formerFile });
    this.#inFiles ??= isStateInFiles();
    if (!(await this.#inFiles)) {
      return isKnown ? work({ configFile: formerFile }) : this.#withNew(chosen, work);
    }
    const held = isKnown ? (state ?? (await exportStack(stack))) : EMPTY;
    const { configFile } = await this.#copyFile(chosen, held);
    const folder = await mkdtemp(join(this.#folder, "state-"));
    await this.#writeState(folder, stack, held);
    if (!isKnown) {
      const gateway = namedGateway(await readFile(configFile, "utf8"));
      if (gateway !== undefined) await this.#copyGateway(folder, gateway);
    }
    return work({ configFile, backend: `file://${folder}` });
  }

  async #withNew<T>(chosen: ChosenStack, work: (place: Place) => Promise<T>): Promise<T> {
    const { folder, configFile } = await this.#copyFile(chosen, EMPTY);
    await makeStack(chosen.stack, folder, configFile);
    try {
      return await work({ configFile });
    } finally {
      const remove = ["stack", "rm", "--yes", "--preserve-config", chosen.stack];
      await runPulumi(["--cwd", folder, ...remove]);
    }
  }

  /** The CLI writes into a stack's file what protects the secrets: into the copy, in a project of its own. */
  async #copyFile({ stack, file, formerFile, hasFile }: ChosenStack, state: string) {
    const folder = await mkdtemp(join(this.#folder, "project-"));
    await mkdir(join(folder, "stacks"));
    await copyFile(join(this.#project, "Pulumi.yaml"), join(folder, "Pulumi.yaml"));
    const configFile = join(folder, "stacks", `Pulumi.${stack}.yaml`);
    const source = formerFile ?? (hasFile ? join(this.#project, file) : undefined);
    await (source === undefined
      ? writeFile(configFile, stringify(protection.parse(JSON.parse(state))))
      : copyFile(source, configFile));
    return { folder, configFile };
  }

  /** As it is now. The program asks the backend for its outputs; if it is not there, the program says so. */
  async #copyGateway(folder: string, name: string): Promise<void> {
    const state = await exportStack(name).catch(() => undefined);
    const [stack = name, project] = name.split("/").toReversed();
    if (state !== undefined) await this.#writeState(folder, stack, state, project);
  }

  /**
   * In the form in which the engine keeps a state in a folder. `pulumi stack import` would leave calls out whose end
   * nobody knows.
   */
  async #writeState(folder: string, stack: string, text: string, project?: string) {
    const { deployment, ...form } = exported.parse(JSON.parse(text));
    const name = project ?? (await this.#projectName());
    const stacks = join(folder, ".pulumi", "stacks", name);
    await mkdir(stacks, { recursive: true });
    await writeFile(join(folder, ".pulumi", "meta.yaml"), "version: 1\n");
    const checkpoint = { stack: `organization/${name}/${stack}`, latest: deployment };
    await writeFile(join(stacks, `${stack}.json`), JSON.stringify({ ...form, checkpoint }));
  }

  async #projectName(): Promise<string> {
    const text = await readFile(join(this.#project, "Pulumi.yaml"), "utf8");
    return projectFile.parse(parse(text)).name;
  }
}

/** The state of a stack that was just made. */
const EMPTY = JSON.stringify({ version: 3, deployment: null });
