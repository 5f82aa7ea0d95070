/** The processing limits of RFC 7208, section 4.6.4. */

/** Terms of one check that query DNS: include, a, mx, ptr, exists and redirect. */
export const lookupLimit = 10;

/** Queries of one check that find nothing, neither records nor an error. */
export const voidLookupLimit = 2;

/** Mail exchangers that one `mx` may name. */
export const exchangeLimit = 10;

/** Names of the client that are looked at; further ones are ignored. */
export const clientNameLimit = 10;

/** Whether terms of this kind count against `lookupLimit`. */
export function queriesDns(kind: string): boolean {
  return ["include", "a", "mx", "ptr", "exists", "redirect"].includes(kind);
}
