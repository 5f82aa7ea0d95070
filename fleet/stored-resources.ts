/** The resources of a stack's state that have another half in the world. Pure. */
import { z } from "zod";
import type { StackKind } from "../config/stack-file.ts";

export interface StoredResource {
  readonly urn: string;
  /** `mxhero:index:MxTakeover` */
  readonly type: string;
  /** Of our own only: other providers call other things by that name. */
  readonly domain: string | undefined;
  /** A run has begun to change it, and is under way or was cut off: the state has it as it was before. */
  readonly isPending: boolean;
}

const domainIn = z
  .object({ domain: z.string().optional() })
  .nullish()
  .transform((values) => values?.domain)
  .catch(undefined);

const resource = z.object({
  urn: z.string(),
  type: z.string(),
  custom: z.boolean().default(false),
  /** It was replaced, and is not yet deleted. */
  delete: z.boolean().default(false),
  outputs: domainIn,
  inputs: domainIn,
});

const exported = z.object({
  deployment: z
    .object({
      resources: z.array(resource).nullish(),
      pending_operations: z.array(z.object({ resource: z.object({ urn: z.string() }) })).nullish(),
    })
    .nullable(),
});

/** @param text as `pulumi stack export` has it. @throws if it is something else */
export function storedResources(text: string): StoredResource[] {
  const { deployment } = exported.parse(JSON.parse(text));
  const pending = new Set(deployment?.pending_operations?.map((each) => each.resource.urn));
  return (deployment?.resources ?? [])
    .filter((each) => each.custom && !each.delete && !each.type.startsWith("pulumi:"))
    .map(({ urn, type, outputs, inputs }) => {
      const isOwn = type.startsWith("mxhero:index:");
      const domain = isOwn ? (outputs ?? inputs) : undefined;
      return { urn, type, domain, isPending: pending.has(urn) };
    });
}

/**
 * What kind of stack it is. Its components stay until all that is in them is gone, so a destroy that was cut short
 * makes no other kind of it.
 *
 * @param text as `pulumi stack export` has it. @throws if it is something else
 */
export function storedKind(text: string): StackKind {
  const resources = exported.parse(JSON.parse(text)).deployment?.resources ?? [];
  const has = (...begins: string[]) =>
    resources.some(({ type }) => begins.some((begin) => type.startsWith(begin)));
  if (has("mxhero:gateway:", "mxhero:index:GatewayFleet")) return "gateway";
  return has("mxhero:tenant:", "mxhero:index:") ? "tenant" : "unknown";
}
