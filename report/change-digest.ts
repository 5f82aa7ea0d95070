/** A hash of exactly what would be done to a resource. */
import { createHash } from "node:crypto";

export interface Step {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly old?: State;
  readonly new?: State;
  readonly detailedDiff?: object | null | undefined;
}

type State =
  | {
      readonly inputs?: Values;
      readonly outputs?: Values;
    }
  | null
  | undefined;
type Values = Readonly<Record<string, unknown>> | null | undefined;

/** Outputs that tell of the world, and are nothing that would be done. */
const NOT_DONE: ReadonlySet<string> = new Set(["lookups", "lookupsByTerm"]);

/**
 * SHA-256 of where it comes from and where it goes. The engine has masked what is secret. Of what is not touched the
 * program's values are no change.
 */
export function digestOf({ op, urn, type, old, new: next, detailedDiff }: Step): string {
  const isComponent = type === "pulumi:pulumi:Stack" || type.startsWith("mxhero:tenant:");
  // The same goal from somewhere else is another change: the former inputs count, too.
  const told =
    isComponent || op === "same" ? [] : [old?.inputs ?? {}, valuesOf(op === "delete" ? old : next)];
  const text = textOf([op, urn, detailedDiff ?? {}, ...told]);
  return createHash("sha256").update(text).digest("hex");
}

function valuesOf(state: State) {
  const outputs = Object.entries(state?.outputs ?? {}).filter(([name]) => !NOT_DONE.has(name));
  return { inputs: state?.inputs ?? {}, outputs: Object.fromEntries(outputs) };
}

/** The same whatever the order of the keys. */
export function textOf(value: unknown): string {
  return JSON.stringify(value, sortKeys);
}

function sortKeys(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
