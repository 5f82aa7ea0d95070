/** A host of the lab while it is on: its namespaces, its first process, its link, and what it finds of its cloud. */
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { descendantsOf } from "../processes.ts";
import type { InstanceMetadata } from "./metadata.ts";
import { type HostAddress, type Link, plugIn } from "./network.ts";
import { asRoot, LabHostError, runAsRoot } from "./root.ts";
import type { VolumeOptions } from "./volume.ts";

export interface HostOptions {
  /** Its host name. */
  readonly name: string;
  /** An existing folder of the lab, in memory; the host's files lie in `<directory>/<name>`. */
  readonly directory: string;
  /** The first one is where its own connections come from, if nothing else is said. */
  readonly addresses: readonly [HostAddress, ...HostAddress[]];
  /** An IPv6 address, e.g. `fd00::1:1`. @default none */
  readonly address6?: string;
  /** Address of the recursive resolver, e.g. `127.3.0.1`. */
  readonly resolver: string;
  /** Where programs of the host speak to the world: endpoints of the lab. */
  readonly env?: Readonly<Record<string, string>>;
  /** A disk that outlives it. */
  readonly volume?: VolumeOptions;
  /** Files of the lab that the host sees, by their path in the host. */
  readonly binds?: Readonly<Record<string, string>>;
  /** What it finds at 169.254.169.254. @default nothing answers there */
  readonly metadata?: InstanceMetadata;
}

const beside = (file: string) => fileURLToPath(new URL(file, import.meta.url));
const bootScript = beside("boot.sh");
const metadataServer = beside("metadata-server.ts");

const standIns = {
  "/usr/bin/systemctl": beside("systemctl"),
  "/usr/bin/journalctl": beside("systemctl"),
};

/** A host that is on. */
export interface Power {
  readonly child: ChildProcessWithoutNullStreams;
  readonly pid: number;
  readonly link: Link;
  readonly metadata: AsyncDisposable;
}

/** Boots it. @throws {LabHostError} with what it said, if it does not */
export async function powerOn(options: HostOptions, root: string): Promise<Power> {
  const namespaces = ["--net", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child=KILL"];
  const [program, ...args] = asRoot([
    ...environment(Object.entries(bootVariables(options, root))),
    "unshare",
    ...namespaces,
    "sh",
    bootScript,
  ]);
  const child = spawn(program, args);
  let log = "";
  child.stderr.on("data", (chunk) => {
    log += chunk;
  });
  try {
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    await expectLine(lines, "namespaces", options.name);
    const pid = await firstProcess(child.pid ?? 0);
    const router = routerOf(options);
    const link = await plugIn({ ...options, pid, router });
    child.stdin.write("\n");
    await expectLine(lines, "network", options.name);
    const metadata = await startMetadata(options, pid);
    child.stdin.write("\n");
    await expectLine(lines, "booted", options.name);
    return { child, pid, link, metadata };
  } catch (error) {
    child.stdin.end();
    throw new LabHostError(`${options.name} did not boot. It said:\n${log}`, { cause: error });
  }
}

/** Every process of it ends at once. */
export async function powerOff({ child, pid, link, metadata }: Power): Promise<void> {
  const ended = child.exitCode === null && child.signalCode === null ? once(child, "exit") : null;
  await runAsRoot(["kill", "-KILL", String(pid)]);
  await ended;
  await metadata[Symbol.asyncDispose]();
  await link[Symbol.asyncDispose]();
}

/** Outside the host, as AWS's is: only its address is in the host's network. */
async function startMetadata(
  { name, metadata }: HostOptions,
  pid: number,
): Promise<AsyncDisposable> {
  await using started = new AsyncDisposableStack();
  if (metadata === undefined) return started.move();
  const enter = ["nsenter", `--target=${pid}`, "--net", process.execPath, metadataServer];
  const [program, ...args] = asRoot(enter);
  const child = spawn(program, args, { stdio: ["pipe", "pipe", "inherit"] });
  const exit = once(child, "exit");
  started.defer(async () => {
    child.stdin.end();
    await exit;
  });
  child.stdin.write(`${JSON.stringify(metadata)}\n`);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  await expectLine(lines, "listening", `the metadata of ${name}`);
  return started.move();
}

function bootVariables(options: HostOptions, root: string): Record<string, string> {
  const { volume, binds = {} } = options;
  return {
    HOST_NAME: options.name,
    HOST_ROOT: root,
    HOST_BINDS: Object.entries({ ...standIns, ...binds })
      .map(([target, source]) => `.${target} ${source}`)
      .join("\n"),
    HOST_VOLUME: volume?.file ?? "",
    HOST_VOLUME_DEVICE: volume?.device ?? "/dev/nvme1n1",
    HOST_VOLUME_FOLDER: volume?.mountPoint ?? "",
    HOST_ADDRESSES: options.addresses.map((address) => address.private).join(" "),
    HOST_ADDRESS6: options.address6 ?? "",
    HOST_ROUTER: routerOf(options),
  };
}

/** The first address of the network that the host's private addresses are of, as in a VPC. */
function routerOf({ addresses: [first] }: HostOptions): string {
  return `${first.private.split(".").slice(0, 2).join(".")}.0.1`;
}

/** The process that is number 1 in a process namespace below ours: its status tells both numbers. */
async function firstProcess(ancestor: number): Promise<number> {
  for (const pid of await descendantsOf(ancestor)) {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const numbers = /^NSpid:\s+(.*)$/m.exec(status)?.[1]?.split(/\s+/) ?? [];
    if (numbers.length > 1 && numbers.at(-1) === "1") return pid;
  }
  throw new LabHostError("The host's first process is not there");
}

async function expectLine(lines: AsyncIterator<string>, expected: string, name: string) {
  const { value, done } = await lines.next();
  if (done === true || value !== expected) {
    throw new LabHostError(`${name} ended before it said "${expected}"`);
  }
}

/** Runs what follows with these variables, and no others of the lab. */
export function environment(variables: readonly (readonly [string, string])[]): string[] {
  const path = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const rest = variables.map(([name, value]) => `${name}=${value}`);
  return ["env", "-i", path, "HOME=/root", "LANG=C.UTF-8", ...rest];
}
