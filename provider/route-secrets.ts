/**
 * The passwords of a route's Relay Server: when one is written, and how each of them ends.
 *
 * Every password has a parameter of its own. It is deleted once no version names it, and expires with a route
 * that was given up. Where the store does not answer, the run fails, and the next one does it; where it refuses, the
 * route goes on, and a warning names what is left. A run that was killed before it named its password has left one that
 * nobody knows of: the next run finds it by its folder.
 */
import type { RouteRecord } from "../mail/route.ts";
import { StoreError } from "../store/errors.ts";
import type { RouteStore } from "../store/route-store.ts";
import { relayFolder, relaySecretName } from "../store/secrets.ts";
import type { Call } from "./resource.ts";
import type { RouteInputs, RouteOutputs, StorePlace } from "./route-schema.ts";
import { isSameStore, type Standing } from "./route-state.ts";

/** A domain's passwords at one gateway, and who is told of one that is left. */
export interface Passwords {
  readonly store: RouteStore;
  readonly place: StorePlace;
  readonly domain: string;
  readonly call: Call;
  /** The run has failed already, and will be repeated. Else a store that does not answer fails it, so that it is. */
  readonly hasFailed: boolean;
}

/**
 * Which password lies in the parameter store: that of before, where it is the same one. That of a route that is
 * leaving expires, so the one that stays gets another.
 */
export async function storePassword(
  store: RouteStore,
  { domain, relayServer }: RouteInputs,
  { old, mayClaim }: Standing,
  before: RouteRecord | undefined,
): Promise<number | undefined> {
  const password = relayServer?.login?.password;
  if (password === undefined) return undefined;
  const isSame = !mayClaim && old?.relayServer?.login?.password === password;
  const isKept = isSame && before?.leaving === undefined;
  if (isKept && old.secretVersion !== undefined) return old.secretVersion;
  const version = Date.now();
  await store.putSecret(relaySecretName(domain, version), password);
  return version;
}

/** Deletes what no version names any more. */
export async function deleteFormerPasswords(
  passwords: Passwords,
  before: RouteRecord | undefined,
  old: RouteOutputs | undefined,
  after: RouteRecord,
): Promise<void> {
  const kept = secretsOf(after);
  const known = new Set([...secretsOf(before), ...stateSecrets(passwords, old), ...kept]);
  const former = (await existing(passwords, known)).filter((name) => !kept.has(name));
  for (const name of former) await deletePassword(passwords, name);
}

/**
 * A slot that is new may need the passwords as long as the route is there. Then nothing has to run: the parameter
 * store deletes them. That needs their values: the state has one at most, the others are read if that is allowed.
 *
 * @param record the route that was given up; `undefined`: it is gone
 */
export async function releasePasswords(
  passwords: Passwords,
  record: RouteRecord | undefined,
  held: RouteOutputs,
): Promise<void> {
  const { store } = passwords;
  const own = stateSecrets(passwords, held);
  const named = secretsOf(record);
  const all = await existing(passwords, new Set([...own, ...named]));
  const unnamed = all.filter((name) => !named.has(name));
  for (const name of unnamed) await deletePassword(passwords, name);
  const expires = record?.leaving?.expires;
  if (expires === undefined) return;
  for (const name of named) {
    await warnOfFailure(passwords, name, expires, async () => {
      const kept = own.has(name) ? held.relayServer?.login?.password : undefined;
      const password = kept ?? (await store.readSecret(name));
      if (password !== undefined) await store.putSecret(name, password, expires);
    });
  }
}

function secretsOf(record: RouteRecord | undefined): Set<string> {
  const ways = [record?.active?.route, record?.proposed?.route, record?.formerWay];
  return new Set(ways.flatMap((way) => way?.relayServer?.login?.secret ?? []));
}

/** The known passwords, and those beside them where they may be listed. */
async function existing(passwords: Passwords, known: ReadonlySet<string>) {
  if (known.size === 0) return [];
  const { store, domain } = passwords;
  try {
    return [...new Set([...known, ...(await store.secretNames(relayFolder(domain)))])];
  } catch (error) {
    refuseToGoOn(passwords, error);
    return [...known];
  }
}

/** @throws what is no failure of the store, and, unless the run has failed already, that the store does not answer */
function refuseToGoOn({ hasFailed }: Passwords, error: unknown): asserts error is StoreError {
  if (!(error instanceof StoreError)) throw error;
  if (!hasFailed && error.failure === "unavailable") throw error;
}

/** The state names one at most, and only at its own gateway. */
function stateSecrets({ place, domain }: Passwords, state: RouteOutputs | undefined): Set<string> {
  if (state?.secretVersion === undefined || !isSameStore(state.store, place)) return new Set();
  return new Set([relaySecretName(domain, state.secretVersion)]);
}

function deletePassword(passwords: Passwords, name: string): Promise<void> {
  return warnOfFailure(passwords, name, undefined, () => passwords.store.deleteSecret(name));
}

/** @param from when nobody needs the password any more, ISO 8601; `undefined`: now */
async function warnOfFailure(
  passwords: Passwords,
  name: string,
  from: string | undefined,
  work: () => Promise<void>,
): Promise<void> {
  try {
    await work();
  } catch (error) {
    refuseToGoOn(passwords, error);
    const { place, domain, call } = passwords;
    const parameter = `${place.secretPrefix}/${name}`;
    const when = from === undefined ? "Delete it" : `It is needed until ${from}; delete it then`;
    call.warn(
      `Route of ${domain}: the password ${parameter} stays in the parameter store (${error.message}). ${when}: aws ssm delete-parameter --region ${place.region} --name ${parameter}`,
    );
  }
}
