/**
 * Makes a machine into a gateway host, and keeps it one: run as root, before the agent, as often as one likes.
 *
 * What is as it should be stays untouched, and Postfix is reloaded only where something changed.
 */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { RouteStore } from "../../store/route-store.ts";
import { type GatewayHostConfig, HOST_PATHS } from "../host-config.ts";
import { inboundInstance, relayInstance } from "../postfix/common-settings.ts";
import { withFleetHosts } from "../postfix/fleet-hosts.ts";
import { renderHostFiles } from "../postfix/host-files.ts";
import { SESSIONS_MAP, sessionsSource } from "../postfix/sessions.ts";
import { errorText } from "./faults.ts";
import { MAPS_IN_ORDER } from "./map-order.ts";
import { CommandError, run } from "./postfix-commands.ts";

/** The user that the agent runs as: it owns the maps and its state, and nothing else. */
const USER = "mxhero-gateway";

/** @returns what was done, a line each; nothing: all was as it should be */
export async function install(config: GatewayHostConfig): Promise<string[]> {
  const done: string[] = [];
  await makeUser(done);
  await makeFolders(config);
  await writeFiles(config, done);
  await writeTls(config, done);
  const changed = done.length > 0;
  await makeFirstMaps(done);
  for (const instance of [inboundInstance(config), relayInstance(config)]) {
    await startOrReload(instance.name, instance.directory, changed, done);
  }
  return done;
}

async function makeUser(done: string[]): Promise<void> {
  if (await succeeds("getent", ["passwd", USER])) return;
  await run("useradd", [
    "--system",
    "--user-group",
    "--no-create-home",
    "--shell",
    "/usr/sbin/nologin",
    USER,
  ]);
  done.push(`Made the user ${USER}.`);
}

async function makeFolders(config: GatewayHostConfig): Promise<void> {
  const { maps, state, tlsChain, inboundLog, policySocket } = HOST_PATHS;
  for (const folder of [
    dirname(inboundLog),
    dirname(policySocket),
    maps,
    state,
    dirname(tlsChain),
  ]) {
    await mkdir(folder, { recursive: true });
  }
  await run("chmod", ["0700", dirname(tlsChain), state]);
  await run("chown", ["-R", `${USER}:${USER}`, maps, state, dirname(policySocket)]);
  // What lies in them makes `postfix check`.
  for (const { queue, data } of [inboundInstance(config), relayInstance(config)]) {
    await mkdir(queue, { recursive: true });
    await mkdir(data, { recursive: true });
    await run("chown", ["postfix", data]);
  }
}

async function writeFiles(config: GatewayHostConfig, done: string[]): Promise<void> {
  for (const { path, content } of renderHostFiles(config)) {
    await writeIfOther(path, content, 0o644, done);
  }
  const hosts = withFleetHosts(await readIfThere("/etc/hosts"), config);
  // In place: where it is a mount of its own, it cannot be renamed over.
  if (hosts === (await readIfThere("/etc/hosts"))) return;
  await writeFile("/etc/hosts", hosts);
  done.push("Wrote /etc/hosts.");
}

/**
 * Key and certificate chain, from the secret store. A host that has them already goes on without it: a boot
 * must not depend on it.
 */
async function writeTls(config: GatewayHostConfig, done: string[]): Promise<void> {
  const isFirst = (await readIfThere(HOST_PATHS.tlsChain)) === "";
  try {
    const chain = await readTls(config, isFirst ? FIRST_MILLISECONDS : MILLISECONDS);
    await writeIfOther(HOST_PATHS.tlsChain, chain, 0o600, done);
  } catch (error) {
    if (isFirst) throw error;
    console.error(`The certificate of before stays: ${errorText(error)}`);
  }
}

/** How long the secret store is waited for: the agent starts only after this, and relays nothing until then. */
const MILLISECONDS = 5_000;
const FIRST_MILLISECONDS = 60_000;
const PAUSE_MILLISECONDS = 1_000;

/**
 * The key and its chain, once they belong together: the two secrets are written one after the other, and
 * with a half new pair Postfix has no certificate at all.
 */
async function readTls(config: GatewayHostConfig, milliseconds: number): Promise<string> {
  const { certificateSecret, keySecret } = config.networkTls;
  using store = new RouteStore(config.store);
  const end = performance.now() + milliseconds;
  for (;;) {
    const late = delay(end - performance.now(), undefined, { ref: false });
    const reading = Promise.all([readPem(store, keySecret), readPem(store, certificateSecret)]);
    const read = await Promise.race([reading, late]);
    if (read === undefined) throw new Error("The secret store does not answer.");
    const [key, chain] = read;
    // The first certificate of a chain is the server's own.
    if (new X509Certificate(chain).checkPrivateKey(createPrivateKey(key))) {
      return `${key}\n${chain}\n`;
    }
    if (performance.now() + PAUSE_MILLISECONDS > end) {
      throw new Error(`The secrets ${keySecret} and ${certificateSecret} do not belong together.`);
    }
    await delay(PAUSE_MILLISECONDS);
  }
}

async function readPem(store: RouteStore, name: string): Promise<string> {
  const value = await store.readSecret(name);
  if (value === undefined) throw new Error(`There is no secret ${name}.`);
  return value.trim();
}

/** Postfix defers all mail as long as a map is not there. One that is there is the agent's. */
async function makeFirstMaps(done: string[]): Promise<void> {
  const empty = MAPS_IN_ORDER.map((map) => ({ ...map, source: "" }));
  const open = { name: SESSIONS_MAP, isSecret: false, source: sessionsSource(undefined) };
  for (const { name, isSecret, source } of [...empty, open]) {
    const path = join(HOST_PATHS.maps, name);
    if (await isThere(`${path}.lmdb`)) continue;
    await writeFile(path, source, { mode: isSecret ? 0o600 : 0o644 });
    await run("chown", [`${USER}:${USER}`, path]);
    await run("postmap", ["-c", HOST_PATHS.inboundInstance, `lmdb:${path}`]);
    await run("rm", [path]);
    done.push(`Made the map ${name}.`);
  }
}

/**
 * An instance is a service of its own (Debian's postfix@.service), so that it neither ends with the agent nor
 * counts as a part of it. Debian makes the services of the instances at a boot and at `daemon-reload`.
 */
async function startOrReload(
  name: string,
  directory: string,
  isChanged: boolean,
  done: string[],
): Promise<void> {
  await run("postfix", ["-c", directory, "check"]);
  const isRunning = await succeeds("postfix", ["-c", directory, "status"]);
  if (isRunning && !isChanged) return;
  if (isRunning) {
    await run("postfix", ["-c", directory, "reload"]);
    done.push(`Reloaded ${name}.`);
    return;
  }
  await run("systemctl", ["daemon-reload"]);
  await run("systemctl", ["start", `postfix@${name}.service`]);
  done.push(`Started ${name}.`);
}

async function writeIfOther(
  path: string,
  content: string,
  mode: number,
  done: string[],
): Promise<void> {
  if ((await readIfThere(path)) === content) return;
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.new`, content, { mode });
  await rename(`${path}.new`, path);
  done.push(`Wrote ${path}.`);
}

async function readIfThere(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return "";
    throw error;
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function succeeds(program: string, args: readonly string[]): Promise<boolean> {
  try {
    await run(program, args);
    return true;
  } catch (error) {
    if (error instanceof CommandError) return false;
    throw error;
  }
}
