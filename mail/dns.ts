/**
 * What the pure rules know of DNS: the record types they ask for, and the answer they get.
 *
 * A resolver is passed in. The rules never reach the network themselves.
 */

/** An MX record. `exchange` is lower case, without the trailing dot; `""` is the null MX (RFC 7505). */
export interface MxRecord {
  readonly preference: number;
  readonly exchange: string;
}

/** The value of one record, by type. Names are lower case, without the trailing dot. */
export interface DnsValue {
  A: string;
  AAAA: string;
  CNAME: string;
  MX: MxRecord;
  NS: string;
  PTR: string;
  /** The character strings of one TXT record, joined; one UTF-16 unit a byte (latin1). */
  TXT: string;
}

export type DnsType = keyof DnsValue;

/**
 * - `ok`: at least one record of the type exists.
 * - `nodata`: the name exists, the type does not.
 * - `nxdomain`: the name does not exist.
 * - `servfail`: the server could not answer (any other RCODE than 0 and 3).
 * - `timeout`: no answer in time.
 */
export type DnsStatus = "ok" | "nodata" | "nxdomain" | "servfail" | "timeout";

export interface DnsAnswer<T extends DnsType> {
  readonly status: DnsStatus;
  /** Empty unless `status` is `ok`. */
  readonly records: readonly DnsValue[T][];
}

/** Looks up one RRset. Never throws for a DNS failure: that is a `status`. Follows CNAMEs. */
export type Resolver = <T extends DnsType>(name: string, type: T) => Promise<DnsAnswer<T>>;
