/** The names of a gateway's hosts in DNS, and how its addresses are shared out. */

/** An inbound one, which is the MX target, and a relay one, from which mail leaves to the world. */
export const ADDRESSES_PER_SLOT = 2;

export interface HostNames {
  readonly smtpIn: string;
  readonly smtpRelay: string;
  /** The alias of `smtpRelay`. */
  readonly smtp: string;
  /** Holds the fleet's SPF record. */
  readonly spf: string;
}

/** The names given, or the usual ones below the gateway's domain. */
export function hostNames(
  domain: string,
  given: { readonly [Key in "smtpIn" | "smtpRelay" | "smtp"]?: string | undefined },
): HostNames {
  return {
    smtpIn: given.smtpIn ?? `smtp-in.${domain}`,
    smtpRelay: given.smtpRelay ?? `smtp-relay.${domain}`,
    smtp: given.smtp ?? `smtp.${domain}`,
    spf: `_spf.${domain}`,
  };
}

/** The names of one slot's two addresses: what their PTR records say, and those names' A records. */
export function addressNames(domain: string, slot: string) {
  return { inbound: `in-${slot}.${domain}`, relay: `relay-${slot}.${domain}` };
}
