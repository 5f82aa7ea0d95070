/** Checks of values that may still be unknown, and of which some are secret. */
import { z } from "zod";
import type { Decoded, Path } from "./wire.ts";
import { isWithin } from "./wire.ts";

export interface Checked<T> {
  /** One sentence a fault, with its path and never with a secret. */
  readonly faults: readonly string[];
  /** Undefined while something is faulty or unknown. */
  readonly value: T | undefined;
}

/** What cannot be judged because a value in it, or the value around it, is unknown is no fault. */
export function check<T>(schema: z.ZodType<T>, { value, secrets, unknowns }: Decoded): Checked<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) {
    return { faults: [], value: unknowns.length === 0 ? parsed.data : undefined };
  }
  const faults = parsed.error.issues
    .map((issue) => ({ issue, path: issue.path.map(pathKey) }))
    .filter(({ issue, path }) => isCertain(issue, path, unknowns))
    .map(({ issue, path }) => faultText(path, messageOf(issue, path, secrets)));
  return { faults, value: undefined };
}

/** Pulumi's notation of a path: `domains[0].server`. */
export function pathText(path: Path): string {
  return z.core.toDotPath([...path]);
}

/** Keys that do not exist are wrong whatever the unknown values turn out to be. */
function isCertain(issue: z.core.$ZodIssue, path: Path, unknowns: readonly Path[]): boolean {
  if (issue.code === "unrecognized_keys") return true;
  return !unknowns.some((unknown) => related(path, unknown));
}

/** A schema's sentence may quote the value; that of an unknown key names only the key. */
function messageOf({ code, message }: z.core.$ZodIssue, path: Path, secrets: readonly Path[]) {
  const secret = secrets.some((place) => related(path, place)) && code !== "unrecognized_keys";
  return secret ? `is not valid (${code}; it is a secret and not shown)` : message;
}

function faultText(path: Path, message: string): string {
  return path.length === 0 ? message : `${pathText(path)}: ${message}`;
}

function related(path: Path, other: Path): boolean {
  return isWithin(path, other) || isWithin(other, path);
}

function pathKey(key: PropertyKey): string | number {
  return typeof key === "symbol" ? String(key) : key;
}
