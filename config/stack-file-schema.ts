/** The JSON Schemas of whole stack files, for completion and checks in an editor. */
import { z } from "zod";
import { gateway } from "./gateway.ts";
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
  cloudflareShare: {
    type: "number",
    exclusiveMinimum: 0,
    maximum: 1,
    description:
      "The part of Cloudflare's rate limit that one run may use; 0.8 if nothing is said. " +
      "Runs at the same time with the same user's tokens share the limit.",
  },
};

/** What the schemas of the kinds of stacks differ in. */
interface FileKind {
  readonly title: string;
  readonly description: string;
  /** Without the colon. */
  readonly prefix: string;
  readonly values: Readonly<Record<string, JsonSchema>>;
  /** Keys of `values`. */
  readonly required: readonly string[];
  /** Keys of other namespaces that the kind knows. */
  readonly others: Readonly<Record<string, JsonSchema>>;
}

/** The schema of a tenant's stack file. */
export function stackFileSchema(): JsonSchema {
  const values = jsonSchemas(tenant.shape);
  const passwords = { ...values["relayPasswords"], additionalProperties: secret };
  const needed = Object.entries(tenant.shape).filter(
    ([, schema]) => !schema.safeParse(undefined).success,
  );
  return fileSchema({
    title: "Stack file of a tenant",
    description: "An organisation, its mail domains, and the gateway they use.",
    prefix: "mail",
    values: { ...values, relayPasswords: passwords },
    required: needed.map(([key]) => key),
    others: {},
  });
}

/** The schema of a gateway's stack file. */
export function gatewayFileSchema(): JsonSchema {
  const values = jsonSchemas(gateway.shape);
  const { certificate = {}, privateKey = {} } = values;
  // The certificate and its key come into the file by `pulumi config set`, once it is there.
  const later: readonly string[] = ["certificate", "privateKey"];
  const needed = Object.entries(gateway.shape).filter(
    ([key, schema]) => !schema.safeParse(undefined).success && !later.includes(key),
  );
  return fileSchema({
    title: "Stack file of a gateway",
    description: "A fleet of slots on AWS, its names at Cloudflare, its certificate.",
    prefix: "gateway",
    values: {
      ...values,
      certificate: { description: certificate.description ?? "", anyOf: [certificate, secret] },
      privateKey: { ...secret, description: privateKey.description ?? "" },
    },
    required: needed.map(([key]) => key),
    others: {
      "aws:region": {
        type: "string",
        description: "The region that the fleet is in.",
        examples: ["eu-central-1"],
      },
    },
  });
}

function jsonSchemas(shape: Readonly<Record<string, z.ZodType>>): Record<string, JsonSchema> {
  return Object.fromEntries(
    Object.entries(shape).map(([key, schema]) => {
      const { $schema: _, ...json } = z.toJSONSchema(schema, { io: "input", target: "draft-7" });
      return [key, json];
    }),
  );
}

/** Draft 7, which the YAML language server knows best. */
function fileSchema(kind: FileKind): JsonSchema {
  const { title, description, prefix, values, required, others } = kind;
  const prefixed = (name: string, schemas: FileKind["values"]) =>
    Object.entries(schemas).map(([key, json]) => [`${name}:${key}`, json] as const);
  const config = Object.fromEntries(
    [
      ...prefixed(prefix, values),
      ...Object.entries(others),
      ...prefixed("mxhero", providerSettings),
    ].map(([key, json]) => [key, orAsText(json)]),
  );
  return {
    $schema: "http://json-schema.org/draft-07/schema#",
    title,
    type: "object",
    properties: {
      config: {
        type: "object",
        description,
        properties: config,
        // Other namespaces are other packages' business.
        patternProperties: { [unknownKeys(prefix, Object.keys(config))]: false },
        required: [...required.map((key) => `${prefix}:${key}`), ...Object.keys(others)],
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

/** `pulumi config set` writes numbers and `true` as texts: `"2"`. */
function orAsText(json: JsonSchema): JsonSchema {
  const texts = (json.anyOf ?? [json]).map(textOf).filter((text) => text !== undefined);
  if (texts.length === 0) return json;
  if (json.anyOf !== undefined) return { ...json, anyOf: [...json.anyOf, ...texts] };
  return { description: json.description ?? "", anyOf: [json, ...texts] };
}

/** The same values as texts; `undefined` where they are no numbers, nor true or false. */
function textOf({ type, enum: values }: JsonSchema): JsonSchema | undefined {
  if (type === "boolean") return { type: "string", enum: ["true", "false"] };
  if (type !== "integer" && type !== "number") return undefined;
  if (values !== undefined) return { type: "string", enum: values.map(String) };
  return { type: "string", pattern: type === "integer" ? "^\\d+$" : "^\\d+(?:\\.\\d+)?$" };
}

function unknownKeys(prefix: string, known: readonly string[]): string {
  return `^(?!(?:${known.join("|")})$)(?:${prefix}|mxhero):`;
}
