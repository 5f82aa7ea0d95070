/**
 * What stands in for the actions that the workflows use, in the lab: each does what matters of it here, and refuses
 * what the job has no right to.
 */
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";
import type { LabRun, Permissions } from "../github/index.ts";

export interface ActionContext {
  /** The job's folder: `$GITHUB_WORKSPACE`. */
  readonly workspace: string;
  readonly permissions: Permissions;
  /** The repository to check out, as git takes it. */
  readonly origin: string;
  /** What is checked out where nothing else is said. */
  readonly sha: string;
  readonly run: LabRun;
  /** Other runs, by their id. */
  readonly otherRun: (id: string) => LabRun;
  /** Adds variables for the steps that follow. */
  readonly addVariables: (variables: Readonly<Record<string, string>>) => void;
}

type Inputs = Readonly<Record<string, string>>;
type Action = (inputs: Inputs, context: ActionContext) => Promise<void>;

const program = fileURLToPath(new URL("../..", import.meta.url));

const ACTIONS: Readonly<Record<string, Action>> = {
  "actions/checkout": checkOut,
  "actions/upload-artifact": uploadArtifact,
  "actions/download-artifact": downloadArtifact,
  "aws-actions/configure-aws-credentials": giveAwsCredentials,
  // The lab's machine has an engine.
  "pulumi/actions": () => Promise.resolve(),
};

/** @param uses `owner/name@commit` */
export async function runAction(uses: string, inputs: Inputs, context: ActionContext) {
  const [name = "", commit = ""] = uses.split("@");
  const action = ACTIONS[name];
  if (action === undefined) throw new Error(`The lab has nothing for the action ${name}.`);
  if (!/^[0-9a-f]{40}$/.test(commit)) throw new Error(`${uses} is not pinned by a commit.`);
  await action(inputs, context);
}

async function checkOut(inputs: Inputs, context: ActionContext): Promise<void> {
  const { permissions, origin, sha } = context;
  need(permissions, "contents", "read");
  if (inputs["persist-credentials"] !== "false") throw new Error("The token would stay on disk.");
  const folder = resolve(context.workspace, inputs["path"] ?? "");
  await mkdir(folder, { recursive: true });
  const git = (...args: string[]) => execa("git", ["-C", folder, ...args]);
  const depth = inputs["fetch-depth"] ?? "1";
  await git("init", "--quiet");
  await git("remote", "add", "origin", origin);
  const limit = depth === "0" ? [] : [`--depth=${depth}`];
  await git("fetch", "--quiet", ...limit, "origin", inputs["ref"] || sha);
  await git("checkout", "--quiet", "--detach", "FETCH_HEAD");
  if (inputs["submodules"] === "true") await addProgram(folder);
}

/** The submodule is this project: a view of the checkout that runs the test, with its packages. */
async function addProgram(workspace: string): Promise<void> {
  const folder = join(workspace, "pulumi-mxhero");
  await mkdir(folder, { recursive: true });
  for (const name of await readdir(program)) {
    if (!name.startsWith(".")) await symlink(join(program, name), join(folder, name));
  }
}

async function uploadArtifact(inputs: Inputs, { workspace, run }: ActionContext): Promise<void> {
  const folder = resolve(workspace, inputs["path"] ?? "");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  if (files.length === 0) {
    if (inputs["if-no-files-found"] === "error") throw new Error(`Nothing is in ${folder}.`);
    return;
  }
  const texts = await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const file = join(parentPath, name);
      return [file.slice(folder.length).replace(/^\//, ""), await readFile(file, "utf8")] as const;
    }),
  );
  run.addArtifact(inputs["name"] ?? "", Object.fromEntries(texts));
}

async function downloadArtifact(inputs: Inputs, context: ActionContext): Promise<void> {
  const { workspace, permissions, run, otherRun } = context;
  const id = inputs["run-id"];
  if (id !== undefined) need(permissions, "actions", "read");
  const from = id === undefined ? run : otherRun(id);
  const folder = resolve(workspace, inputs["path"] ?? "");
  await mkdir(folder, { recursive: true });
  for (const [name, files] of artifactsOf(from, inputs)) {
    for (const [file, text] of Object.entries(files)) {
      const target = join(folder, name, file);
      await mkdir(dirname(target), { recursive: true });
      await writeFile(target, text);
    }
  }
}

/** One artifact lies in the folder itself, several by a pattern each in one of its own. */
function artifactsOf(run: LabRun, { name, pattern }: Inputs) {
  if (name !== undefined) return [["", run.artifact(name)] as const];
  const prefix = (pattern ?? "").replace(/\*$/, "");
  return Object.entries(run.artifacts()).filter(([each]) => each.startsWith(prefix));
}

async function giveAwsCredentials(inputs: Inputs, context: ActionContext): Promise<void> {
  need(context.permissions, "id-token", "write");
  if (!inputs["role-to-assume"]) throw new Error("No role is named.");
  context.addVariables({
    AWS_ACCESS_KEY_ID: "lab",
    AWS_SECRET_ACCESS_KEY: "lab",
    AWS_REGION: inputs["aws-region"] ?? "",
  });
  await Promise.resolve();
}

function need(permissions: Permissions, name: string, right: "read" | "write"): void {
  const given = permissions[name];
  if (given === "write" || given === right) return;
  throw new Error(`The job has no right ${name}: ${right}.`);
}
