/** For tests: a preview of one domain, with as little in it as a test needs. */
import type { KeptValues, Part } from "./kept-values.ts";
import type { PropertyChange, Said, SeenResource, StackPreview } from "./preview-reader.ts";

export interface TestPart {
  /** @default "update" */
  readonly op?: string;
  /** Properties that differ. */
  readonly changes?: readonly string[];
  /** Properties that are there no longer. */
  readonly lost?: readonly string[];
  readonly old?: unknown;
  readonly new?: unknown;
}

const TYPES: Readonly<Record<Part, string>> = {
  component: "mxhero:tenant:TenantDomain",
  mx: "mxhero:index:MxTakeover",
  spf: "mxhero:index:SpfInclude",
  route: "mxhero:index:Route",
  drain: "mxhero:index:Drain",
};

const PARENT = "mxhero:tenant:Tenant$mxhero:tenant:TenantDomain";

export function urnOf(part: Part, domain = "contoso.test"): string {
  const type = part === "component" ? PARENT : `${PARENT}$${TYPES[part]}`;
  const suffix = part === "component" ? "" : `-${part}`;
  return `urn:pulumi:contoso::mail::${type}::tenant-${domain}${suffix}`;
}

export function partOf(
  part: Part,
  { op = "update", changes = [], lost = [], ...sides }: TestPart,
  domain?: string,
): SeenResource {
  const list: PropertyChange[] = [
    ...changes.map((path) => ({ path, kind: "update" })),
    ...lost.map((path) => ({ path, kind: "delete" })),
  ];
  return {
    urn: urnOf(part, domain),
    type: TYPES[part],
    op,
    changes: list,
    ...side("old", part, sides.old),
    ...side("new", part, sides.new),
    digest: `${part} ${op}`,
  };
}

function side(
  name: "old" | "new",
  part: Part,
  values: unknown,
): { old?: KeptValues; new?: KeptValues } {
  return values === undefined ? {} : { [name]: { [part]: values } };
}

export function previewOf(
  resources: readonly SeenResource[],
  said: readonly Said[] = [],
): StackPreview {
  return { outcome: { exitCode: 0, text: "" }, organisation: "contoso", resources, said };
}

export function saidOf(part: Part, text: string, severity: Said["severity"] = "warning"): Said {
  return { urn: urnOf(part), severity, text };
}
