/**
 * The stand-in for the `cloudflare` provider: the resource types that the gateway's stack uses, made by calling
 * Cloudflare's API at the endpoint of the environment. Other types and properties are errors.
 */
import { z } from "zod";
import { serve } from "../../../provider/protocol/server.ts";
import { readSettings } from "../../../provider/settings.ts";
import { packageVersion } from "../../plugins.ts";

await serve({
  name: "cloudflare",
  version: packageVersion("@pulumi/cloudflare"),
  kinds: {
    "cloudflare:index/dnsRecord:DnsRecord": async () => (await import("./dns-record.ts")).dnsRecord,
  },
  configuration: { schema: z.strictObject({}), read: () => readSettings({}) },
});
