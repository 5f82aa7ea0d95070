/** One PowerDNS authoritative server with its own database, driven through its HTTP API. */
import { randomUUID } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Program } from "./program.ts";

/** All records of one type at one name. */
export interface RrSet {
  /** Full name, lower case, without the trailing dot, e.g. `www.contoso.test`. */
  readonly name: string;
  readonly type: string;
  /** Seconds. */
  readonly ttl: number;
  /**
   * The data of each record as in a zone file (RFC 1035 section 5), names with the trailing dot,
   * e.g. `10 mx.contoso.test.` or `"v=spf1 -all"`. Empty: the RRset is deleted.
   */
  readonly records: readonly string[];
}

const schema = "/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql";

/** Without the caches off, an answer can be older than the database. */
const settings = (address: string, directory: string, apiKey: string) => `\
launch=gsqlite3
gsqlite3-database=${join(directory, "zones.sqlite3")}
gsqlite3-dnssec=yes
gsqlite3-pragma-synchronous=0
gsqlite3-pragma-journal-mode=WAL
local-address=${address}
socket-dir=${directory}
distributor-threads=1
cache-ttl=0
query-cache-ttl=0
negquery-cache-ttl=0
zone-cache-refresh-interval=0
security-poll-suffix=
webserver=yes
webserver-address=${address}
webserver-port=8081
webserver-allow-from=127.0.0.0/8
webserver-loglevel=none
api=yes
api-key=${apiKey}
`;

export class PowerDns implements AsyncDisposable {
  readonly address: string;
  readonly #program: Program;
  readonly #apiKey: string;
  /** Changes that wait until a paused server runs again. */
  #waiting: (() => Promise<void>)[] | undefined;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(address: string, program: Program, apiKey: string) {
    this.address = address;
    this.#program = program;
    this.#apiKey = apiKey;
  }

  /** @param directory is created; it takes the configuration, the database and the log. */
  static async start(name: string, address: string, directory: string): Promise<PowerDns> {
    mkdirSync(directory, { recursive: true });
    // Its own, so that another server at the address is not taken for this one.
    const apiKey = randomUUID();
    writeFileSync(join(directory, "pdns.conf"), settings(address, directory, apiKey));
    using database = new DatabaseSync(join(directory, "zones.sqlite3"));
    database.exec(readFileSync(schema, "utf8"));
    const program = new Program(
      `PowerDNS (${name}, ${address})`,
      ["/usr/sbin/pdns_server", `--config-dir=${directory}`],
      join(directory, "log"),
    );
    const server = new PowerDns(address, program, apiKey);
    try {
      await program.ready(() => server.#answers());
    } catch (error) {
      await program[Symbol.asyncDispose]();
      throw error;
    }
    return server;
  }

  /** Creates a zone; `rrsets` must contain its SOA and NS. */
  createZone(zone: string, rrsets: readonly RrSet[], signed: boolean): Promise<void> {
    return this.#change(async () => {
      await this.#call("POST", "zones", {
        name: absolute(zone),
        kind: "Native",
        dnssec: signed,
        // Also for unsigned zones: it makes the empty non-terminals, which hide wildcards.
        api_rectify: true,
        rrsets: rrsets.map(replacement),
      });
    });
  }

  deleteZone(zone: string): Promise<void> {
    return this.#change(async () => {
      await this.#call("DELETE", zonePath(zone));
    });
  }

  /** Replaces or deletes RRsets in one transaction. */
  publish(zone: string, rrsets: readonly RrSet[]): Promise<void> {
    // Deletions first: PowerDNS refuses a CNAME beside records that go in the same request.
    const ordered = rrsets.toSorted(
      (a, b) => Math.sign(a.records.length) - Math.sign(b.records.length),
    );
    return this.#change(async () => {
      await this.#call("PATCH", zonePath(zone), { rrsets: ordered.map(replacement) });
    });
  }

  /** The DS record data (SHA-256) for the parent of a signed zone. */
  async delegationSigner(zone: string): Promise<string> {
    const keys: unknown = JSON.parse(await this.#call("GET", `${zonePath(zone)}/cryptokeys`));
    const ds = Array.isArray(keys) ? keys.flatMap(delegationSigners) : [];
    const sha256 = ds.find((data) => data.split(" ")[2] === "2");
    if (sha256 === undefined) throw this.#program.error(`has no key for ${absolute(zone)}`);
    return sha256;
  }

  /** Stops answering. Changes wait until `resume`. */
  async pause(): Promise<void> {
    this.#waiting ??= [];
    await this.#last;
    await this.#program.pause();
  }

  /** Answers again, with every change that was made meanwhile. */
  async resume(): Promise<void> {
    this.#program.resume();
    const waiting = this.#waiting ?? [];
    this.#waiting = undefined;
    for (const change of waiting) await this.#change(change);
  }

  /** One at a time: PowerDNS fails a change that finds the database locked by another. */
  #change(change: () => Promise<void>): Promise<void> {
    if (this.#waiting !== undefined) {
      this.#waiting.push(change);
      return Promise.resolve();
    }
    const done = this.#last.then(change);
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #answers(): Promise<boolean> {
    return await this.#request("GET", "zones").then(
      (response) => response.ok,
      () => false,
    );
  }

  async #call(method: string, path: string, body?: unknown): Promise<string> {
    const what = `${method} /${path}`;
    const response = await this.#request(method, path, body).catch((cause: unknown) => {
      throw this.#program.error(`did not answer ${what}`, cause);
    });
    const text = await response.text();
    if (!response.ok) throw this.#program.error(`refused ${what}: ${text} ${JSON.stringify(body)}`);
    return text;
  }

  #request(method: string, path: string, body?: unknown): Promise<Response> {
    return fetch(`http://${this.address}:8081/api/v1/servers/localhost/${path}`, {
      method,
      headers: { "x-api-key": this.#apiKey },
      signal: AbortSignal.timeout(10_000),
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#program[Symbol.asyncDispose]();
  }
}

/** With the trailing dot; the root is `.` or empty. */
function absolute(name: string): string {
  return name.endsWith(".") ? name : `${name}.`;
}

function zonePath(zone: string): string {
  // The API writes the root as `=2E`.
  return `zones/${absolute(zone) === "." ? "=2E" : absolute(zone)}`;
}

function replacement({ name, type, ttl, records }: RrSet): object {
  const rrset = { name: absolute(name), type, ttl };
  return records.length === 0
    ? { ...rrset, changetype: "DELETE" }
    : {
        ...rrset,
        changetype: "REPLACE",
        records: records.map((content) => ({ content, disabled: false })),
      };
}

function delegationSigners(key: unknown): string[] {
  const ds = typeof key === "object" && key !== null && "ds" in key ? key.ds : undefined;
  return Array.isArray(ds) ? ds.filter((data) => typeof data === "string") : [];
}
