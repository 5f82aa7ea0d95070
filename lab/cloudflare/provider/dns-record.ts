/**
 * `cloudflare.DnsRecord` of the types A, AAAA, CNAME and TXT.
 *
 * What is done about a record that is gone follows the real provider
 * (cloudflare/terraform-provider-cloudflare, internal/services/dns_record/resource.go): a read that is answered
 * with 404 drops it from the state, and a delete fails.
 */
import { z } from "zod";
import { cloudflareSdk } from "../../../provider/load-cloudflare-sdk.ts";
import { standInKind } from "../../stand-in.ts";

const inputs = z.strictObject({
  zoneId: z.string(),
  /** The full name. */
  name: z.string(),
  type: z.enum(["A", "AAAA", "CNAME", "TXT"]),
  /** Of a TXT: quoted strings. */
  content: z.string(),
  ttl: z.number(),
  proxied: z.boolean().exactOptional(),
  comment: z.string().exactOptional(),
});
type Inputs = z.output<typeof inputs>;

const found = z.object({
  id: z.string(),
  name: z.string(),
  type: inputs.shape.type,
  content: z.string(),
  ttl: z.number(),
  proxied: z.boolean().optional(),
  comment: z.string().nullish(),
  modified_on: z.string(),
});
const answer = z.object({ result: found });

const { createCloudflare, APIError } = await cloudflareSdk();

/** Endpoint and token are those of the environment, as the SDK reads them. */
const client = createCloudflare({ maxRetries: 0 });

export const dnsRecord = standInKind<Inputs>({
  type: "cloudflare:index/dnsRecord:DnsRecord",
  inputs,
  replaceOn: ["zoneId", "type"],
  computed: ["proxied"],
  create: async ({ zoneId, ...record }) => {
    const posted = await client.post(`/zones/${zoneId}/dns_records`, { body: record });
    return answer.parse(posted).result.id;
  },
  read: async (id, { zoneId }) => {
    const got = await readRecord(zoneId, id);
    if (got === undefined) return undefined;
    const { name, type, content, ttl, proxied, comment, modified_on } = answer.parse(got).result;
    return {
      inputs: { name, type, content, ttl, proxied, comment: comment ?? undefined },
      outputs: { modifiedOn: modified_on },
    };
  },
  update: async (id, { zoneId, ...record }) => {
    await client.put(`/zones/${zoneId}/dns_records/${id}`, { body: record });
  },
  delete: async (id, { zoneId }) => {
    await client.delete(`/zones/${zoneId}/dns_records/${id}`);
  },
});

async function readRecord(zoneId: string, id: string): Promise<unknown> {
  try {
    return await client.get(`/zones/${zoneId}/dns_records/${id}`);
  } catch (error) {
    if (error instanceof APIError && error.status === 404) return undefined;
    throw error;
  }
}
