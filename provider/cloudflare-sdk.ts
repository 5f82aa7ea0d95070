/** The part of Cloudflare's SDK that the resources use. `load-cloudflare-sdk.ts` makes one file of it. */
import type { ClientOptions } from "cloudflare/client";
import { BaseRecords } from "cloudflare/resources/dns/records";
import { BaseZones } from "cloudflare/resources/zones/zones";
import { createClient } from "cloudflare/tree-shakable";

export { APIError } from "cloudflare/core/error";

/** A client that has `zones` and `dns.records`. */
export function createCloudflare(options: ClientOptions) {
  return createClient({ ...options, resources: [BaseZones, BaseRecords] });
}

export type Cloudflare = ReturnType<typeof createCloudflare>;
