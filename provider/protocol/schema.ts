/** The provider's schema, made from the schemas of its resources and of its configuration. */
import { z } from "zod";
import type { Provider } from "./provider.ts";

type JsonSchema = z.core.JSONSchema.JSONSchema;

type LeafType = "string" | "number" | "integer" | "boolean";

/** A type as a Pulumi schema writes it. Objects are named and lie in `types`. */
type TypeSpec =
  | { readonly type: LeafType }
  | { readonly type: "array"; readonly items: TypeSpec }
  | { readonly type: "object"; readonly additionalProperties: TypeSpec }
  | { readonly $ref: string };

interface ObjectSpec {
  readonly properties: Readonly<Record<string, TypeSpec>>;
  readonly required: readonly string[];
}

const ANY: TypeSpec = { $ref: "pulumi.json#/Any" };

type Types = Map<string, ObjectSpec & { readonly type: "object" }>;

/** What a transformation makes of a value is nothing that JSON Schema can say. */
const JSON_SCHEMA = { io: "input", unrepresentable: "any" } as const;

/** A Pulumi package schema: pulumi.com/docs/iac/guides/building-extending/packages/schema. */
export async function schemaOf(provider: Omit<Provider, "functions">): Promise<object> {
  const { name, version, kinds, configuration } = provider;
  const types: Types = new Map();
  const resources: Record<string, object> = {};
  for (const [token, load] of Object.entries(kinds)) {
    const kind = await load();
    const inputs = objectSpec(z.toJSONSchema(kind.inputs, JSON_SCHEMA), token, types);
    const outputs = objectSpec(z.toJSONSchema(kind.outputs, JSON_SCHEMA), token, types);
    resources[token] = {
      ...outputs,
      inputProperties: inputs.properties,
      requiredInputs: inputs.required,
    };
  }
  const configured = z.toJSONSchema(configuration.schema, JSON_SCHEMA);
  const { properties } = objectSpec(configured, `${name}:index:Configuration`, types);
  return {
    name,
    version,
    config: { variables: properties },
    provider: { inputProperties: properties },
    types: Object.fromEntries(types),
    resources,
  };
}

function objectSpec(schema: JsonSchema, name: string, types: Types): ObjectSpec {
  const members = Object.entries(schema.properties ?? {}).map(
    ([key, member]) => [key, typeSpec(member, `${name}${capitalised(key)}`, types)] as const,
  );
  return { properties: Object.fromEntries(members), required: schema.required ?? [] };
}

/** `name` is the type's, if the schema is that of an object. */
function typeSpec(schema: JsonSchema | boolean, name: string, types: Types): TypeSpec {
  if (typeof schema === "boolean") return ANY;
  if (isLeaf(schema.type)) return { type: schema.type };
  if (schema.type === "array")
    return { type: "array", items: typeSpec(itemsOf(schema), name, types) };
  if (schema.type !== "object") return ANY;
  if (schema.properties === undefined) {
    const members = typeSpec(schema.additionalProperties ?? true, name, types);
    return { type: "object", additionalProperties: members };
  }
  types.set(name, { type: "object", ...objectSpec(schema, name, types) });
  return { $ref: `#/types/${name}` };
}

function isLeaf(type: JsonSchema["type"]): type is LeafType {
  return type === "string" || type === "number" || type === "integer" || type === "boolean";
}

function itemsOf({ items = true }: JsonSchema): JsonSchema | boolean {
  return Array.isArray(items) ? true : items;
}

function capitalised(key: string): string {
  return `${key.slice(0, 1).toUpperCase()}${key.slice(1)}`;
}
