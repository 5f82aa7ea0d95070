/** The provider's schema, as far as it is needed to register and import its resources. */
import type { Kinds } from "./resource-calls.ts";

/** A Pulumi package schema (pulumi.com/docs/iac/guides/building-extending/packages/schema). */
export async function schemaOf(kinds: Kinds, version: string): Promise<object> {
  const resources = Object.keys(kinds).map((type) => [type, {}] as const);
  return { name: "mxhero", version, resources: Object.fromEntries(resources) };
}
