/** A resolver over records that are given in the test. */
import type { DnsAnswer, DnsType, DnsValue, Resolver } from "../../dns.ts";

type ZoneRecords = { readonly [T in DnsType]?: readonly DnsValue[T][] };

/** The records of one name. `failure` is the answer for every type that has no records here. */
export type ZoneName = ZoneRecords & { readonly failure?: "servfail" | "timeout" };

/** Labels of 1 to 63 visible ASCII characters or spaces; no address in brackets. */
const queryable = /^(?!\[)[\x20-\x2d\x2f-\x7e]{1,63}(?:\.[\x20-\x2d\x2f-\x7e]{1,63})*$/;

/**
 * Names are looked up in lower case. CNAMEs are followed; a loop is a server failure.
 * @throws RangeError for a name that no query can carry: the rules must not ask for it.
 */
export function zoneResolver(zone: Readonly<Record<string, ZoneName>>): Resolver {
  return async <T extends DnsType>(name: string, type: T): Promise<DnsAnswer<T>> => {
    if (name.length > 253 || !queryable.test(name)) {
      throw new RangeError(`No DNS query can ask for "${name}".`);
    }
    let owner = name;
    for (let hops = 0; hops < 8; hops += 1) {
      const found = zone[owner];
      if (found === undefined) return { status: "nxdomain", records: [] };
      const records: ZoneRecords = found;
      const values = records[type];
      if (values !== undefined && values.length > 0) return { status: "ok", records: values };
      if (found.failure !== undefined) return { status: found.failure, records: [] };
      const alias = found.CNAME?.[0];
      if (alias === undefined) return { status: "nodata", records: [] };
      owner = alias;
    }
    return { status: "servfail", records: [] };
  };
}
