/** One domain of a preview: its parts before and after, and what was said of it. */
import { type KeptValues, PART_OF_TYPE, type Part } from "./kept-values.ts";
import type { PropertyChange, Said, SeenResource, StackPreview } from "./preview-reader.ts";

export interface SeenPart {
  readonly part: Part;
  readonly op: string;
  readonly changes: readonly PropertyChange[];
}

export interface MailDomain {
  /** In A-labels. */
  readonly domain: string;
  readonly old: KeptValues;
  readonly new: KeptValues;
  readonly parts: readonly SeenPart[];
  readonly said: readonly Said[];
}

/** In the order of their names. */
export function domainsOf({ resources, said }: StackPreview): readonly MailDomain[] {
  const byDomain = Map.groupBy(resources, ({ urn }) => domainOf(urn) ?? "");
  byDomain.delete("");
  const domains = [...byDomain].map(([domain, seen]) => ({
    domain,
    old: seen.reduce<KeptValues>((all, each) => ({ ...all, ...each.old }), {}),
    new: seen.reduce<KeptValues>((all, each) => ({ ...all, ...each.new }), {}),
    parts: seen.flatMap(partsOf),
    said: said.filter(({ urn }) => domainOf(urn) === domain),
  }));
  return domains.toSorted((a, b) => (a.domain < b.domain ? -1 : 1));
}

function partsOf({ type, op, changes }: SeenResource): SeenPart[] {
  const part = PART_OF_TYPE[type];
  return part === undefined ? [] : [{ part, op, changes }];
}

/** The names that components/tenant-domain.ts gives: `tenant-<domain>`, and behind it `-<part>`. */
const SUFFIX = { component: "", mx: "-mx", spf: "-spf", route: "-route", drain: "-drain" } as const;

/** `undefined` where the resource is no part of a domain. */
export function domainOf(urn: string): string | undefined {
  const [, , types = "", ...names] = urn.split("::");
  const part = PART_OF_TYPE[types.split("$").at(-1) ?? ""];
  if (part === undefined) return undefined;
  const name = names.join("::").replace(/^tenant-/, "");
  const suffix = SUFFIX[part];
  return name.endsWith(suffix) ? name.slice(0, name.length - suffix.length) : name;
}
