/** A partner's repository in the lab: examples/partner in git, with branches, pull requests and merges. */
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { execa } from "execa";

const example = fileURLToPath(new URL("../../examples/partner", import.meta.url));

/** By path; `null`: it is deleted. */
export type Files = Readonly<Record<string, string | null>>;

/** A commit that nobody fetches: in the lab a view of this checkout stands in the submodule's place. */
const PROGRAM = "1".repeat(40);

export class PartnerRepository {
  /** As git takes it. */
  readonly origin: string;
  readonly #clone: string;

  private constructor(directory: string) {
    this.origin = join(directory, "origin.git");
    this.#clone = join(directory, "clone");
  }

  /** The example with these stack files, and this in its other files, on the branch `main`. */
  static async create(directory: string, files: Files): Promise<PartnerRepository> {
    const repository = new PartnerRepository(directory);
    await execa("git", ["init", "--quiet", "--bare", "--initial-branch=main", repository.origin]);
    // As GitHub allows it; a job fetches the commit of its event.
    const allow = ["config", "uploadpack.allowAnySHA1InWant", "true"];
    await execa("git", [`--git-dir=${repository.origin}`, ...allow]);
    await cp(example, repository.#clone, { recursive: true });
    await repository.#git("init", "--quiet", "--initial-branch=main");
    await repository.#git("remote", "add", "origin", repository.origin);
    await rm(join(repository.#clone, "stacks/Pulumi.example.yaml"));
    await repository.#git("add", "--all");
    await repository.#git(
      "update-index",
      "--add",
      "--cacheinfo",
      `160000,${PROGRAM},pulumi-mxhero`,
    );
    await repository.#git("commit", "--quiet", "--message", "Begin");
    await repository.commit("main", files);
    return repository;
  }

  /** A commit on top of the branch, which is made from `main` where there is none. Returns its name. */
  async commit(branch: string, files: Files): Promise<string> {
    await this.#switch(branch);
    for (const [path, text] of Object.entries(files)) {
      const file = join(this.#clone, path);
      await mkdir(dirname(file), { recursive: true });
      if (text === null) await rm(file);
      else await writeFile(file, text);
      await this.#git("add", "--all", "--", path);
    }
    await this.#git("commit", "--quiet", "--allow-empty", "--message", `Change ${branch}`);
    return this.#push(branch);
  }

  /** The merge of a branch into `main` that GitHub makes for its pull request to be tried. */
  async trialMerge(branch: string): Promise<string> {
    const trial = `trial-${branch}`;
    await this.#git("switch", "--quiet", "--force-create", trial, "main");
    await this.#git("merge", "--quiet", "--no-ff", "--no-edit", branch);
    return this.#push(trial);
  }

  /** Merges the branch into `main`. */
  async merge(branch: string): Promise<{ readonly before: string; readonly after: string }> {
    await this.#switch("main");
    const before = await this.head("main");
    await this.#git("merge", "--quiet", "--no-ff", "--no-edit", branch);
    return { before, after: await this.#push("main") };
  }

  async head(branch: string): Promise<string> {
    return this.#git("rev-parse", branch);
  }

  read(path: string): Promise<string> {
    return readFile(join(this.#clone, path), "utf8");
  }

  async #switch(branch: string): Promise<void> {
    const known = await this.#git("branch", "--list", branch);
    if (known !== "") await this.#git("switch", "--quiet", branch);
    else await this.#git("switch", "--quiet", "--create", branch, "main");
  }

  async #push(branch: string): Promise<string> {
    await this.#git("push", "--quiet", "--force", "origin", branch);
    return this.head(branch);
  }

  async #git(...args: string[]): Promise<string> {
    const identity = ["-c", "user.name=Ann", "-c", "user.email=ann@example.test"];
    const { stdout } = await execa("git", ["-C", this.#clone, ...identity, ...args]);
    return stdout.trim();
  }
}
