/** What Pulumi would do, a line each. What only follows from something else is left out. */
import { domainOf } from "./mail-domain.ts";
import type { SeenResource, StackPreview } from "./preview-reader.ts";
import { isChangedProvider, isProvider } from "./provider-settings.ts";

const SIGNS: Readonly<Record<string, string>> = {
  create: "+",
  import: "+",
  update: "~",
  delete: "-",
  replace: "±",
  "create-replacement": "+",
  "delete-replaced": "-",
};

/** `~ MX of contoso.test: bypass`; the number of those left out is the last line. */
export function technicalOf({ resources, settings }: StackPreview): string[] {
  const touched = resources.filter(isTouched);
  const told = touched.filter((each) => !isFollower(each));
  const keys = Object.keys(settings?.keys ?? {});
  const sign = settings?.isNew === true ? "+" : "~";
  const lines = [
    ...(keys.length === 0 ? [] : [`${sign} settings of the providers: ${keys.join(", ")}`]),
    ...told.map(lineOf),
  ];
  const left = touched.length - told.length;
  return left === 0 ? lines : [...lines, `  (${left} more that only follow)`];
}

export function isTouched({ op }: Pick<SeenResource, "op">): boolean {
  return !["same", "read", "refresh"].includes(op);
}

/** Components have no life of their own; a `Drain` stands for the route's and the SPF record's end. */
function isFollower(resource: SeenResource): boolean {
  const { type } = resource;
  return (
    type === "pulumi:pulumi:Stack" ||
    (isProvider(type) && !isChangedProvider(resource)) ||
    /^mxhero:(?!index:)/.test(type) ||
    type === "mxhero:index:Drain"
  );
}

const KINDS: Readonly<Record<string, string>> = {
  "mxhero:index:MxTakeover": "MX of",
  "mxhero:index:SpfInclude": "SPF of",
  "mxhero:index:Route": "Route of",
};

function lineOf({ urn, type, op, changes }: SeenResource): string {
  const domain = domainOf(urn);
  const kind = KINDS[type];
  const name = urn.split("::").slice(3).join("::");
  const what = kind !== undefined && domain !== undefined ? `${kind} ${domain}` : `${type} ${name}`;
  const paths = changes.map(({ path }) => path).join(", ");
  return `${SIGNS[op] ?? op} ${what}${paths && `: ${paths}`}`;
}
