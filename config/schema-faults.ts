/** Turns what zod finds wrong into faults that name the path, the value and the likely fix. */
import leven from "leven";
import { z } from "zod";
import type { MailRuleFault } from "../mail/errors.ts";

type Schema = z.core.$ZodType;
type Issue = z.core.$ZodIssue;
type Described = Pick<MailRuleFault, "code" | "problem" | "fix">;

/** How a schema's own check says what is wrong: pass it to `addIssue`. */
export function customIssue({ code, problem, fix }: Described) {
  return { code: "custom" as const, message: problem, params: { code, fix } };
}
const customParams = z.object({ code: z.string(), fix: z.string() });

/** The faults of `value` under `schema`; `where` is the path of `value` itself. */
export function schemaFaults(schema: Schema, value: unknown, where: string): MailRuleFault[] {
  const result = z.safeParse(schema, value);
  return result.success
    ? []
    : result.error.issues.flatMap((issue) => faultsOf(issue, schema, value, where));
}

/** What remains of an object when its faulty fields are left out, and the faults of those. */
export interface SoundFields<Fields> {
  readonly fields: Fields | undefined;
  readonly faults: MailRuleFault[];
}

/**
 * Reads an object of which a part may be wrong. `fields` is `schema.partial()`. The sound fields can be
 * checked further, so that a user sees every fault of a file in one go.
 */
export function soundFields<Fields>(
  schema: z.ZodObject,
  fields: z.ZodType<Fields>,
  value: unknown,
  where: string,
): SoundFields<Fields> {
  const faults = schemaFaults(schema, value, where);
  if (!isRecord(value)) return { fields: undefined, faults };
  const sound = Object.entries(value).filter(([key, field]) => {
    const fieldSchema = schema.shape[key];
    return fieldSchema !== undefined && z.safeParse(fieldSchema, field).success;
  });
  return { fields: fields.parse(Object.fromEntries(sound)), faults };
}

/** A value as a message shows it. What may be a token is never shown. */
export function quoted(value: unknown): string {
  if (typeof value === "string" && looksLikeToken(value)) return "The value (it may be a token)";
  return JSON.stringify(value);
}

/** `Did you mean "server"? ` for a word that is close to one of those that are known, else nothing. */
export function suggestion(word: string, known: readonly string[]): string {
  const best = known
    .map((candidate) => ({
      candidate,
      distance: leven(word.toLowerCase(), candidate.toLowerCase()),
    }))
    .toSorted((a, b) => a.distance - b.distance)[0];
  if (best === undefined || best.distance > Math.ceil(word.length / 3)) return "";
  return `Did you mean "${best.candidate}"? `;
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function faultsOf(
  issue: Issue,
  root: Schema,
  rootValue: unknown,
  rootPath: string,
): MailRuleFault[] {
  const schema = issue.path.reduce<Schema | undefined>(stepSchema, root);
  const value = issue.path.reduce<unknown>(stepValue, rootValue);
  const where = issue.path.reduce<string>(stepPath, rootPath);
  if (issue.code === "unrecognized_keys") return unknownKeys(issue.keys, schema, where);
  if (issue.code === "invalid_union" && schema !== undefined) {
    const chosen = closestOption(issue.errors, schema);
    if (chosen !== undefined) {
      return chosen.issues.flatMap((inner) => faultsOf(inner, chosen.option, value, where));
    }
  }
  const shown = typeof value === "string" && !looksLikeToken(value) ? { value } : {};
  return [{ ...describe(issue, schema, value), where, ...shown }];
}

function describe(issue: Issue, schema: Schema | undefined, value: unknown): Described {
  if (issue.code === "custom") {
    const { code, fix } = customParams.parse(issue.params);
    return { code, problem: issue.message, fix };
  }
  const example = exampleOf(schema);
  const meaning = (schema && z.globalRegistry.get(schema)?.description) ?? "";
  if (value === undefined || value === null) {
    const problem = value === null ? "It is empty." : "It is missing.";
    const fix = example === "" ? `Write it. ${meaning}`.trimEnd() : `Write it${example}.`;
    return { code: "value-missing", problem, fix };
  }
  if (issue.code === "invalid_type") return wrongKind(issue.expected, value, example);
  if (issue.code === "invalid_value") return unknownValue(issue.values.map(String), value);
  if (issue.code === "too_small" || issue.code === "too_big") return outOfRange(issue, value);
  const problem = `${quoted(value)} does not have the right form.`;
  return { code: "value-malformed", problem, fix: `Write it${example}. ${meaning}`.trimEnd() };
}

function wrongKind(expected: string, value: unknown, example: string): Described {
  const quotes = expected === "string" && typeof value === "number" ? " in quotes" : "";
  return {
    code: "value-of-wrong-kind",
    problem: `${quoted(value)} is ${kindOf(value)}, where ${named(expected)} is expected.`,
    fix: `Write ${named(expected)}${quotes}${example}.`,
  };
}

function unknownValue(known: string[], value: unknown): Described {
  const hint = typeof value === "string" ? suggestion(value, known) : "";
  return {
    code: "value-unknown",
    problem: `${quoted(value)} is not known here.`,
    fix: `${hint}Write one of: ${known.join(", ")}.`,
  };
}

function outOfRange(
  issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig,
  value: unknown,
): Described {
  const code = "value-out-of-range";
  const bound =
    issue.code === "too_small" ? `${issue.minimum} or more` : `${issue.maximum} or less`;
  return Array.isArray(value)
    ? { code, problem: `The list has ${value.length} entries.`, fix: `Write ${bound}.` }
    : { code, problem: `${quoted(value)} is out of range.`, fix: `Write ${bound}.` };
}

function unknownKeys(keys: string[], schema: Schema | undefined, where: string): MailRuleFault[] {
  const object = schema === undefined ? undefined : unwrapped(schema);
  const known = object instanceof z.ZodObject ? Object.keys(object.shape) : [];
  // The value is left out: a key that is not known may hold a secret.
  return keys.map((key) => ({
    code: "key-unknown",
    where: stepPath(where, key),
    problem: `The key "${key}" is not known.`,
    fix: `${suggestion(key, known)}The keys here are: ${known.join(", ")}.`,
  }));
}

/** The option of a union that the value most likely was meant to be: of the right kind, with fewest issues. */
function closestOption(errors: readonly (readonly Issue[])[], schema: Schema) {
  const union = unwrapped(schema);
  if (!(union instanceof z.ZodUnion)) return undefined;
  return union.options
    .map((option, index) => ({ option, issues: errors[index] ?? [] }))
    .filter(({ issues }) => !issues.some((i) => i.code === "invalid_type" && i.path.length === 0))
    .toSorted((a, b) => a.issues.length - b.issues.length)[0];
}

function unwrapped(schema: Schema): Schema {
  if (schema instanceof z.ZodOptional || schema instanceof z.ZodDefault) {
    return unwrapped(schema.unwrap());
  }
  return schema instanceof z.ZodPipe ? unwrapped(schema.in) : schema;
}

function stepSchema(schema: Schema | undefined, key: PropertyKey): Schema | undefined {
  if (schema === undefined) return undefined;
  const outer = unwrapped(schema);
  if (outer instanceof z.ZodArray) return outer.element;
  return outer instanceof z.ZodObject ? outer.shape[String(key)] : undefined;
}

function stepValue(value: unknown, key: PropertyKey): unknown {
  if (Array.isArray(value)) return value[Number(key)];
  return isRecord(value) ? value[String(key)] : undefined;
}

function stepPath(path: string, key: PropertyKey): string {
  return typeof key === "number" ? `${path}[${key}]` : `${path}.${String(key)}`;
}

function exampleOf(schema: Schema | undefined): string {
  if (schema === undefined) return "";
  const inner = unwrapped(schema);
  const examples =
    z.globalRegistry.get(schema)?.examples ?? z.globalRegistry.get(inner)?.examples ?? [];
  if (Array.isArray(examples) && examples.length > 0) {
    return `, for example ${JSON.stringify(examples[0])}`;
  }
  return inner instanceof z.ZodEnum ? ` as one of: ${inner.options.join(", ")}` : "";
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return "a list";
  return isRecord(value) ? "a map" : `a ${typeof value}`;
}

const kinds: Readonly<Record<string, string>> = {
  array: "a list",
  object: "a map",
  int: "a whole number",
  boolean: "true or false",
};

function named(expected: string): string {
  return kinds[expected] ?? `a ${expected}`;
}

/** Cloudflare's tokens have 40 characters or more of these; its ids have 32, host names have dots. */
function looksLikeToken(text: string): boolean {
  return /^[\w-]{37,}$/.test(text);
}
