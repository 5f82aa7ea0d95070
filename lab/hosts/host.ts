/**
 * A host of the lab: this machine's file system under an overlay of its own, its own processes, name and
 * network. What runs in it sees a Debian machine with the programs of this one.
 */
import { join } from "node:path";
import { execa } from "execa";
import type { HostAddress } from "./network.ts";
import { environment, type HostOptions, type Power, powerOff, powerOn } from "./power.ts";
import { asRoot, LabHostError, requireNamespace, runAsRoot } from "./root.ts";
import { makeVolume } from "./volume.ts";

export { addLabAddress, type HostAddress } from "./network.ts";
export type { HostOptions } from "./power.ts";
export { LabHostError } from "./root.ts";

export interface ExecOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Seconds; then the command is killed. @default 60 */
  readonly timeout?: number;
}

export interface ExecResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Host extends AsyncDisposable {
  readonly name: string;
  readonly addresses: readonly HostAddress[];
  /** Its file system as seen from outside, also while it is off. Belongs to root. */
  readonly root: string;
  readonly running: boolean;
  /** The first process, outside; to look at the host's processes with `descendantsOf`. */
  readonly pid: number;
  /**
   * Runs a command as the host's root. What it leaves running in the background must write elsewhere: the
   * end of its output is waited for.
   *
   * @throws {LabHostError} only if the host is off
   */
  exec(command: readonly string[], options?: ExecOptions): Promise<ExecResult>;
  /** Gives what the command wrote. @throws {LabHostError} if it ended with another code than 0 */
  run(command: readonly string[], options?: ExecOptions): Promise<string>;
  /** Puts a file there. @param mode octal, e.g. `0600`. @default "0644" */
  write(path: string, content: string, mode?: string): Promise<void>;
  /** Cuts the power: every process ends at once. Its disks stay as they are. */
  kill(): Promise<void>;
  /** Power on. Starts the services that were enabled in it with `systemctl`, as a boot does. */
  boot(): Promise<void>;
  /** Unplugs it, without anyone being told; `false` plugs it in again. */
  cutOff(off: boolean): Promise<void>;
  /** Fills the file system at a path, to the last byte; `false` makes room again. */
  fillDisk(path: string, full: boolean): Promise<void>;
}

/** In smaller and smaller pieces, to the last block. */
const fill = `
for bytes in 1M 4k 1k; do
  dd if=/dev/zero bs=$bytes oflag=append conv=notrunc of="$1" 2>/dev/null
  sync --file-system "$1"
done
[ "$(df --output=avail "$1" | tail -1)" -lt 4 ]`;

/** Makes a host and boots it. Disposing ends it and removes its files; its volume stays. */
export async function startHost(options: HostOptions): Promise<Host> {
  requireNamespace();
  const folder = join(options.directory, options.name);
  const root = join(folder, "root");
  const folders = ["root", "upper", "work"].map((name) => join(folder, name));
  // By root, since the upper folder becomes the host's "/".
  await runAsRoot(["mkdir", "--parents", ...folders]);
  const layers = `lowerdir=/,upperdir=${join(folder, "upper")},workdir=${join(folder, "work")}`;
  await runAsRoot(["mount", "-t", "overlay", "-o", layers, "overlay", root]);
  const host = new LabHost(options, root);
  try {
    if (options.volume !== undefined) await makeVolume(options.volume);
    await writeBasics(root, options);
    await host.boot();
  } catch (error) {
    await host[Symbol.asyncDispose]();
    throw error;
  }
  return host;
}

/** What a machine's set-up writes before anything else runs. */
async function writeBasics(root: string, { name, resolver, env = {} }: HostOptions) {
  const hosts = `127.0.0.1 localhost\n127.0.1.1 ${name}\n`;
  await writeIn(root, "/etc/hosts", hosts);
  await writeIn(root, "/etc/hostname", `${name}\n`);
  await writeIn(root, "/etc/resolv.conf", `nameserver ${resolver}\n`);
  const variables = Object.entries(env).map(([key, value]) => `${key}=${value}\n`);
  await writeIn(root, "/etc/environment", variables.join(""));
}

/** Replaces a link by the file itself. */
async function writeIn(root: string, path: string, content: string, mode = "0644") {
  const target = join(root, path);
  const script = `rm -f "$1"; umask 077; mkdir -p -m 755 "\${1%/*}"; cat >"$1"; chmod "$2" "$1"`;
  await runAsRoot(["sh", "-ec", script, "sh", target, mode], content);
}

class LabHost implements Host {
  readonly name: string;
  readonly addresses: readonly HostAddress[];
  readonly root: string;
  readonly #options: HostOptions;
  #power: Power | undefined;

  constructor(options: HostOptions, root: string) {
    this.name = options.name;
    this.addresses = options.addresses;
    this.root = root;
    this.#options = options;
  }

  get running(): boolean {
    return this.#power !== undefined;
  }

  get pid(): number {
    return this.#on().pid;
  }

  async boot(): Promise<void> {
    if (this.#power !== undefined) throw new LabHostError(`${this.name} is on already`);
    this.#power = await powerOn(this.#options, this.root);
  }

  async kill(): Promise<void> {
    const power = this.#on();
    this.#power = undefined;
    await powerOff(power);
  }

  async exec(command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    const { input = "", env = {}, timeout = 60 } = options;
    const variables = Object.entries({ ...this.#options.env, ...env });
    const [program, ...args] = asRoot([
      ...enterCommand(this.#on().pid),
      ...environment(variables),
      "timeout",
      "--signal=KILL",
      String(timeout),
      ...command,
    ]);
    const { exitCode, stdout, stderr } = await execa(program, args, { input, reject: false });
    return { exitCode, stdout, stderr };
  }

  async run(command: readonly string[], options?: ExecOptions): Promise<string> {
    const { exitCode, stdout, stderr } = await this.exec(command, options);
    if (exitCode === 0) return stdout;
    const said = stderr || stdout;
    throw new LabHostError(`${this.name}: ${command.join(" ")} ended with ${exitCode}: ${said}`);
  }

  async write(path: string, content: string, mode?: string): Promise<void> {
    await writeIn(this.root, path, content, mode);
  }

  async cutOff(off: boolean): Promise<void> {
    await this.#on().link.cut(off);
  }

  async fillDisk(path: string, full: boolean): Promise<void> {
    const file = join(path, ".filled-by-the-lab");
    await this.run(full ? ["sh", "-c", fill, "sh", file] : ["rm", "-f", file]);
  }

  #on(): Power {
    if (this.#power === undefined) throw new LabHostError(`${this.name} is off`);
    return this.#power;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.running) await this.kill();
    await runAsRoot(["umount", "--lazy", this.root]);
    await runAsRoot(["rm", "-r", "--one-file-system", join(this.root, "..")]);
  }
}

function enterCommand(pid: number): string[] {
  const namespaces = ["--net", "--mount", "--pid", "--uts", "--ipc"];
  return ["nsenter", `--target=${pid}`, ...namespaces, "--root", "--wdns=/"];
}
