/**
 * Runs what AWS's API says is running: every instance becomes a host, with its addresses, its volumes and its
 * metadata, and executes its user data once. What is terminated ends; what is stopped is switched off.
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { type Machine, MachineApi } from "../aws/machines.ts";
import { labCredentials, labRegion, type Moto } from "../aws/moto.ts";
import { Pointers } from "../aws/pointers.ts";
import type { CertificateAuthority } from "../certificates.ts";
import type { LabDns } from "../dns.ts";
import { attachDisk } from "./disk.ts";
import { type Host, LabHostError, startHost } from "./host.ts";
import type { InstanceMetadata } from "./metadata.ts";

export interface RunnerOptions {
  readonly moto: Moto;
  readonly dns: LabDns;
  /** The first two octets of the world's addresses. */
  readonly net: string;
  /** An existing folder of the lab, in memory. Volumes lie there, and outlive the hosts. */
  readonly directory: string;
  /** Trusted by the hosts. */
  readonly authority: CertificateAuthority;
}

/** An instance that has become a host. */
export interface RunningInstance {
  readonly id: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly host: Host;
  /** Resolves when the user data is done. Rejects with what it wrote if it failed. */
  readonly setUp: Promise<void>;
}

export interface HostRunner extends AsyncDisposable {
  /** The instance that is on and has this tag. @throws {LabHostError} if there is none */
  instance(tag: string, value: string): RunningInstance;
  readonly instances: readonly RunningInstance[];
  /** What could not be done so far. */
  readonly failures: readonly Error[];
}

/** Between two looks at the API, in milliseconds. A look takes the emulator 50 ms of a core. */
const LOOK_MS = 1000;

/** How long user data may take, in seconds. */
const SET_UP_SECONDS = 300;

/** Starts to follow the API. */
export async function startRunner(options: RunnerOptions): Promise<HostRunner> {
  const pointers = await Pointers.create(options.dns, options.net);
  return new Runner(options, pointers);
}

/** A host, and how far it is the machine that the API has. */
interface Hosted extends RunningInstance {
  readonly disks: Set<string>;
}

class Runner implements HostRunner {
  readonly failures: Error[] = [];
  readonly #options: RunnerOptions;
  readonly #pointers: Pointers;
  readonly #api: MachineApi;
  readonly #hosted = new Map<string, Hosted>();
  readonly #following: Promise<void>;
  #ended = false;

  constructor(options: RunnerOptions, pointers: Pointers) {
    this.#options = options;
    this.#pointers = pointers;
    this.#api = new MachineApi(options.moto.url);
    this.#following = this.#follow();
  }

  get instances(): readonly RunningInstance[] {
    return [...this.#hosted.values()].filter(({ host }) => host.running);
  }

  instance(tag: string, value: string): RunningInstance {
    const found = this.instances.find(({ tags }) => tags[tag] === value);
    if (found !== undefined) return found;
    throw new LabHostError(`No instance with ${tag} = ${value} is running`);
  }

  async #follow(): Promise<void> {
    while (!this.#ended) {
      // While the API does not answer, everything stays as it is, as on AWS.
      const machines = await this.#api.machines().catch(() => undefined);
      if (machines !== undefined) {
        await this.#pointers.update(this.#api).catch((error: unknown) => this.#note(error));
        const known = machines.map((machine) => this.#bringTo(machine));
        await Promise.all(known.map((done) => done.catch((error: unknown) => this.#note(error))));
      }
      await sleep(LOOK_MS);
    }
  }

  #note(error: unknown): void {
    this.failures.push(error instanceof Error ? error : new Error(String(error)));
  }

  /** Makes the host what the API says of the machine. */
  async #bringTo(machine: Machine): Promise<void> {
    const hosted = this.#hosted.get(machine.id);
    if (machine.state === "terminated") {
      this.#hosted.delete(machine.id);
      await hosted?.host[Symbol.asyncDispose]();
      return;
    }
    if (hosted === undefined) {
      if (machine.state === "running") this.#hosted.set(machine.id, await this.#start(machine));
      return;
    }
    if (machine.state === "stopped" && hosted.host.running) {
      hosted.disks.clear();
      await hosted.host.kill();
    }
    if (machine.state === "running") await this.#attachDisks(hosted, machine);
  }

  async #start(machine: Machine): Promise<Hosted> {
    const { directory, dns, authority } = this.#options;
    const { id, tags } = machine;
    const [primary, ...secondary] = machine.addresses;
    if (primary === undefined) throw new LabHostError(`${id} has no address`);
    const folder = join(directory, id);
    await mkdir(folder, { recursive: true });
    const userData = await this.#api.userData(id);
    const host = await startHost({
      name: `ip-${primary.private.replaceAll(".", "-")}`,
      directory: folder,
      addresses: [primary, ...secondary],
      resolver: dns.resolver,
      metadata: await this.#metadata(machine, userData),
    });
    await prepareImage(host, authority);
    const setUp = runUserData(host, userData);
    // Of a host that was switched off meanwhile, nobody wants to know.
    setUp.catch((error: unknown) => host.running && this.#note(error));
    return { id, tags, host, setUp, disks: new Set() };
  }

  async #metadata(machine: Machine, userData: string): Promise<InstanceMetadata> {
    const { id: instanceId, zone: availabilityZone, instanceProfile } = machine;
    const role = instanceProfile && (await this.#api.roleOf(instanceProfile));
    return {
      instanceId,
      region: labRegion,
      availabilityZone,
      localIpv4: machine.addresses[0]?.private ?? "",
      userData,
      ...(role && { role: { name: role, ...labCredentials } }),
    };
  }

  /** A host that was killed by a test stays off: AWS would not start it again either. */
  async #attachDisks({ host, disks }: Hosted, machine: Machine): Promise<void> {
    if (!host.running) return;
    for (const disk of machine.disks) {
      const { volumeId } = disk;
      if (disks.has(volumeId)) continue;
      disks.add(volumeId);
      const file = join(this.#options.directory, `${volumeId}.disk`);
      await attachDisk(host, disk, disks.size, file);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ended = true;
    await this.#following;
    this.#api[Symbol.dispose]();
    const hosts = [...this.#hosted.values()].map(({ host }) => host);
    this.#hosted.clear();
    await Promise.all(hosts.map((host) => host[Symbol.asyncDispose]()));
  }
}

/** There is no mirror in the lab: a package is there, or cannot be installed. */
const aptGet = `#!/bin/sh
# Stands in for apt-get on a host of the lab, which has its packages from the start.
[ "$1" = update ] && exit 0
for word in "$@"; do
  case $word in
    -* | *::* | /* | update | install) ;;
    *) dpkg --status "$word" >/dev/null || exit 100 ;;
  esac
done
`;

/** What a machine's image has in the lab. */
async function prepareImage(host: Host, authority: CertificateAuthority): Promise<void> {
  await host.write("/usr/local/sbin/apt-get", aptGet, "0755");
  const bundle = "/etc/ssl/certs/ca-certificates.crt";
  await host.write(bundle, `${await host.run(["cat", bundle])}\n${authority.cert}`);
}

const LOG = "/var/log/cloud-init-output.log";

/** As cloud-init does: once, as root, with what it writes in a log. */
async function runUserData(host: Host, userData: string): Promise<void> {
  const script = "/var/lib/cloud/instance/user-data.txt";
  await host.write(script, userData, "0700");
  const command = ["sh", "-c", `${script} </dev/null >${LOG} 2>&1`];
  const { exitCode } = await host.exec(command, { timeout: SET_UP_SECONDS });
  if (exitCode === 0) return;
  if (!host.running) throw new LabHostError(`${host.name} was switched off during its set-up`);
  const { stdout } = await host.exec(["tail", "-n", "40", LOG]);
  throw new LabHostError(`The user data of ${host.name} ended with ${exitCode}:\n${stdout}`);
}
