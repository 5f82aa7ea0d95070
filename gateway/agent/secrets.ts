/**
 * The passwords of Relay Servers' logins, as far as this host was told them.
 *
 * They are kept on the agent's disk, for its user alone, so that a restart without the store goes on. The map
 * that Postfix reads holds them anyway.
 */
import { readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RelayLogin, RouteRecord } from "../../mail/route.ts";

interface KnownSecret {
  readonly version: number;
  readonly value: string;
}

/** The secret store has no such secret. */
export class SecretMissingError extends Error {
  override readonly name = "SecretMissingError";
}

export interface SecretReader {
  readSecret(name: string): Promise<string | undefined>;
}

export class Secrets {
  readonly #path: string;
  readonly #store: SecretReader;
  readonly #known = new Map<string, KnownSecret>();

  constructor(directory: string, store: SecretReader) {
    this.#path = join(directory, "secrets.json");
    this.#store = store;
  }

  /** What was known before the restart. */
  async load(): Promise<void> {
    try {
      const saved: Record<string, KnownSecret> = JSON.parse(await readFile(this.#path, "utf8"));
      for (const [name, secret] of Object.entries(saved)) this.#known.set(name, secret);
    } catch (error) {
      // Without the file, or with half of one, they are read from the store again.
      if (!(error instanceof SyntaxError) && !isMissing(error)) throw error;
    }
  }

  /** The password of a login; `undefined` before `fetch`. */
  passwordOf({ secret }: RelayLogin): string | undefined {
    return this.#known.get(secret)?.value;
  }

  /** Whether the password of a record's route is known, in the version that it names. */
  isKnown(record: RouteRecord): boolean {
    const login = loginOf(record);
    return (
      login === undefined || (this.#known.get(login.secret)?.version ?? 0) >= login.secretVersion
    );
  }

  /** Reads the password of a record's route. @throws SecretMissingError, and what the store throws */
  async fetch(record: RouteRecord): Promise<void> {
    const login = loginOf(record);
    if (login === undefined) return;
    const value = await this.read(login.secret);
    this.#known.set(login.secret, { version: login.secretVersion, value });
  }

  /** The present value, from the store. @throws SecretMissingError, and what the store throws */
  async read(name: string): Promise<string> {
    const value = await this.#store.readSecret(name);
    if (value === undefined) throw new SecretMissingError(`There is no secret ${name}.`);
    return value;
  }

  /** Forgets all that none of these records names. @returns whether there was anything */
  keepOnly(records: Iterable<RouteRecord>): boolean {
    const named = new Set<string>();
    for (const record of records) {
      const login = loginOf(record);
      if (login !== undefined) named.add(login.secret);
    }
    const former = [...this.#known.keys()].filter((name) => !named.has(name));
    for (const name of former) this.#known.delete(name);
    return former.length > 0;
  }

  async save(): Promise<void> {
    const text = JSON.stringify(Object.fromEntries(this.#known));
    await writeFile(`${this.#path}.new`, text, { mode: 0o600 });
    await rename(`${this.#path}.new`, this.#path);
  }
}

function loginOf({ active, formerWay }: RouteRecord): RelayLogin | undefined {
  const way = active?.route.outbound === "none" ? formerWay : active?.route;
  return way?.relayServer?.login;
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
