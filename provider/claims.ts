/** Who holds a domain, in a form that may stand in public DNS. */
import { createHash, randomBytes } from "node:crypto";
import type { Claim } from "../mail/journal.ts";

const LENGTH = 8;

/** A hash that tells two values apart without showing either. */
export function fingerprint(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, LENGTH);
}

/**
 * A new generation of the resource with this URN. A create that is run again after a crash replaces its
 * own earlier claim; a create under another name adds one.
 */
export function newClaim(urn: string): Claim {
  return { resource: fingerprint(urn), generation: randomBytes(LENGTH / 2).toString("hex") };
}
