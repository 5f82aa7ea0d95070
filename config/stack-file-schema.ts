/** The JSON Schema of a tenant's whole stack file, for completion and checks in an editor. */
import { z } from "zod";
import { tenant } from "./tenant.ts";

type JsonSchema = z.core.JSONSchema.BaseSchema;

const secret: JsonSchema = {
  type: "object",
  properties: { secure: { type: "string" } },
  required: ["secure"],
  additionalProperties: false,
};

/** The provider's settings. In a stack file a token is always encrypted. */
const providerSettings: Record<string, JsonSchema> = {
  apiToken: {
    ...secret,
    description:
      "The Cloudflare API token (Zone Read, DNS Write on the named zones): " +
      "pulumi config set --secret mxhero:apiToken. CLOUDFLARE_API_TOKEN comes before it.",
  },
  apiTokens: {
    type: "object",
    additionalProperties: secret,
    description:
      "Further tokens by the name that a domain gives as its credential. " +
      "CLOUDFLARE_API_TOKEN_<NAME> comes before it.",
  },
  cloudflareBaseUrl: {
    type: "string",
    description: "The base URL of Cloudflare's API, where it is another than the official one.",
  },
  resolvers: {
    type: "array",
    items: { type: "string" },
    minItems: 1,
    description: "The addresses of the recursive resolvers to ask, instead of the system's.",
  },
  waitSeconds: {
    type: "number",
    exclusiveMinimum: 0,
    maximum: 86_400,
    description: "The longest time that one wait may take, in seconds.",
  },
  abandonedQueues: {
    type: "array",
    items: { type: "string", pattern: "^[a-z]$" },
    description:
      "Slots of a gateway whose queue is given up, because their instance is dead. The mail in it may be lost.",
  },
};

/** Draft 7, which the YAML language server knows best. */
export function stackFileSchema(): JsonSchema {
  const values = Object.entries(tenant.shape).map(([key, schema]) => {
    const { $schema: _, ...json } = z.toJSONSchema(schema, { io: "input", target: "draft-7" });
    const isSecret = key === "relayPasswords";
    return [`mail:${key}`, isSecret ? { ...json, additionalProperties: secret } : json] as const;
  });
  const needed = Object.entries(tenant.shape).filter(
    ([, schema]) => !schema.safeParse(undefined).success,
  );
  const settings = Object.entries(providerSettings).map(
    ([key, json]) => [`mxhero:${key}`, json] as const,
  );
  const config = Object.fromEntries([...values, ...settings]);
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title: "Stack file of a tenant",
    type: "object",
    properties: {
      config: {
        type: "object",
        description: "An organisation, its mail domains, and the gateway they use.",
        properties: config,
        // Other namespaces are other packages' business.
        patternProperties: { [unknownKeys(Object.keys(config))]: false },
        required: needed.map(([key]) => `mail:${key}`),
      },
      encryptionsalt: { type: "string", description: "Written by Pulumi." },
      encryptedkey: { type: "string", description: "Written by Pulumi." },
      secretsprovider: { type: "string", description: "Written by Pulumi." },
      environment: { description: "Pulumi ESC environments." },
    },
    required: ["config"],
    additionalProperties: false,
  };
}

function unknownKeys(known: readonly string[]): string {
  return `^(?!(?:${known.join("|")})$)(?:mail|mxhero):`;
}
