/**
 * The DNS of one lab world: a root and the TLDs, two authoritative servers for the tenants' zones,
 * and a recursive resolver that validates DNSSEC.
 *
 * Everything listens on 127.0.0.0/8 inside the network namespace that the caller runs in.
 */

export interface LabDnsOptions {
  /** The first two octets of the world's addresses, e.g. `127.3`. */
  readonly net: string;
  /** An existing folder for configuration, databases and logs. It must not be shared with another world. */
  readonly directory: string;
  /** Longest time, in seconds, that the resolver keeps an answer. @default 0 */
  readonly cacheSeconds?: number;
}

/** An authoritative name server of the tenants' zones. */
export interface NameServer {
  /** E.g. `ns1.dns-host.test`. */
  readonly name: string;
  readonly address: string;
}

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

export interface AddZoneOptions {
  /**
   * The parent has a DS record, but the zone is not signed: the validating resolver answers SERVFAIL.
   * @default false
   */
  readonly signedBroken?: boolean;
}

export interface PublishOptions {
  /** Indexes into `nameServers`. @default all */
  readonly servers?: readonly number[];
}

export interface LabDns extends AsyncDisposable {
  /** Address of the recursive, validating resolver (port 53). */
  readonly resolver: string;
  /** Address of the server of the root and the TLDs (port 53). */
  readonly rootServer: string;
  /** The authoritative servers of every zone made with `addZone`. */
  readonly nameServers: readonly NameServer[];
  /** Creates the zone on every name server, with SOA and NS, and delegates it from its parent zone. */
  addZone(name: string, options?: AddZoneOptions): Promise<void>;
  /** Removes the zone and its delegation. */
  removeZone(name: string): Promise<void>;
  /** Replaces or deletes RRsets; all of one call become visible at once on each server. */
  publish(zone: string, rrsets: readonly RrSet[], options?: PublishOptions): Promise<void>;
  /**
   * Gives a host outside the tenants' zones an address, e.g. `host("smtp-in.gateway.test", "127.3.1.1")`.
   * Called again for the same name, it adds one more address.
   */
  host(name: string, address: string): Promise<void>;
  /** A server that is down does not answer at all; `publish` still reaches its database. */
  setServerDown(index: number, down: boolean): Promise<void>;
}

/** A program of the lab did not start, or refused a request. */
export class LabDnsError extends Error {
  override readonly name = "LabDnsError";
}

/** Starts the world's DNS. Resolves when all servers answer. @throws {LabDnsError} */
export function startDns(options: LabDnsOptions): Promise<LabDns> {
  return Promise.reject(new LabDnsError(`not built yet: DNS of ${options.net}`));
}
