/** For the tests of the set-up: a checkout of its own, on a machine where programs are missing or faked. */

import { existsSync } from "node:fs";
import { chmod, cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { execa } from "execa";

const root = join(import.meta.dirname, "..");

/** The real programs of the machine: what the set-up and the lab's namespace call, and no more. */
const realPrograms = "sh cat sleep mkdir chmod flock unshare setpriv mount ip env sudo".split(" ");

/** A machine where all is there, and where installing anything fails. */
const completeMachine: Record<string, string> = {
  id: "echo 0",
  "dpkg-query": 'shift 2; for name; do echo "$name installed"; done',
  "apt-get": "exit 1",
  npm: "exit 1",
  go: "exit 1",
  python3: `mkdir -p "$4/bin" && echo "#!/bin/sh" >"$4/bin/python" && chmod +x "$4/bin/python"`,
  pulumi: 'echo "own pulumi"',
};

export class Checkout implements AsyncDisposable {
  readonly folder: string;
  readonly cache: string;
  readonly #bin: string;
  readonly #calls: string;

  private constructor(folder: string) {
    this.folder = join(folder, "checkout");
    this.cache = join(folder, "cache");
    this.#bin = join(folder, "bin");
    this.#calls = join(folder, "calls");
  }

  /** A checkout whose packages are installed and whose demo is `demo` (TypeScript). */
  static async create(demo = ""): Promise<Checkout> {
    // Not in TMPDIR: in the namespace that the checkout's programs enter it is another folder.
    const checkout = new Checkout(await mkdtemp("/tmp/checkout-"));
    for (const path of ["tools", "lab/namespace.mjs", "package.json"]) {
      await cp(join(root, path), join(checkout.folder, path), {
        recursive: true,
        filter: (source) => !source.endsWith("language-host/pulumi"),
      });
    }
    await writeFile(join(checkout.folder, "lab", "demo.ts"), demo);
    await checkout.lock("1.0.0");
    await checkout.install("1.0.0");
    await mkdir(checkout.#bin);
    for (const name of realPrograms) {
      const file = findOnPath(name);
      if (file !== undefined) await symlink(file, join(checkout.#bin, name));
    }
    for (const [name, script] of Object.entries(completeMachine)) await checkout.fake(name, script);
    return checkout;
  }

  /** Puts a program on the machine; it notes each call. */
  async fake(name: string, script: string): Promise<void> {
    const note = `printf "%s\\n" "${name} $*" >>"${this.#calls}"`;
    await writeScript(join(this.#bin, name), `${note}\n${script}`);
  }

  /** Puts a program into node_modules/.bin. */
  async addNodeProgram(name: string, script: string): Promise<void> {
    await writeScript(join(this.folder, "node_modules/.bin", name), script);
  }

  async remove(...names: readonly string[]): Promise<void> {
    for (const name of names) await rm(join(this.#bin, name), { force: true });
  }

  async removeNodePackages(): Promise<void> {
    await rm(join(this.folder, "node_modules"), { recursive: true });
  }

  /** Writes a package-lock.json that names one package. */
  async lock(version: string): Promise<void> {
    await writeFile(join(this.folder, "package-lock.json"), lockFile(version));
  }

  /** Lays out node_modules as npm does when it has installed that lock file. */
  async install(version: string): Promise<void> {
    const bin = join(this.folder, "node_modules", ".bin");
    await rm(bin, { recursive: true, force: true });
    await mkdir(bin, { recursive: true });
    await symlink(process.execPath, join(bin, "node"));
    await writeFile(join(bin, "..", ".package-lock.json"), lockFile(version));
  }

  /** Runs `node tools/run.mjs` on this machine. */
  run(program: string, options: { args?: readonly string[]; env?: Record<string, string> } = {}) {
    return execa(process.execPath, ["tools/run.mjs", program, ...(options.args ?? [])], {
      cwd: this.folder,
      reject: false,
      all: true,
      extendEnv: false,
      stdin: "ignore",
      env: {
        PATH: this.#bin,
        HOME: this.folder,
        XDG_CACHE_HOME: this.cache,
        ...options.env,
      },
    });
  }

  /** The calls of faked programs, in order: name and arguments. */
  async calls(): Promise<string[]> {
    const text = await readFile(this.#calls, "utf8").catch(() => "");
    return text.split("\n").filter(Boolean);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(join(this.folder, ".."), { recursive: true });
  }
}

async function writeScript(file: string, script: string): Promise<void> {
  await rm(file, { force: true });
  await writeFile(file, `#!/bin/sh\n${script}\n`);
  await chmod(file, 0o755);
}

function lockFile(version: string): string {
  return JSON.stringify({ packages: { "node_modules/example": { version } } });
}

function findOnPath(name: string): string | undefined {
  return (process.env["PATH"] ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find((file) => existsSync(file));
}
