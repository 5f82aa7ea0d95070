/**
 * Property values in the engine's wire form, to and from plain values.
 *
 * A plain value has no secrets and no unknowns in it: where they were is told by path. A null member of
 * an object is an absent one, in both directions, since the engine does not keep the two apart.
 */
import structPb from "google-protobuf/google/protobuf/struct_pb.js";

/** Stands on the wire, and in a decoded value, for a value that is not known in a preview. */
export const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

export type Value = null | boolean | number | string | readonly Value[] | ValueObject;
export interface ValueObject {
  readonly [key: string]: Value;
}

/** Object keys and list indices, from the outside in. */
export type Path = readonly (string | number)[];

export interface Decoded {
  readonly value: ValueObject;
  /** Where secrets were, outermost first. */
  readonly secrets: readonly Path[];
  /** Where `UNKNOWN` stands. */
  readonly unknowns: readonly Path[];
}

/** Takes secrets out of their wrapping. A missing struct is an empty one. */
export function decode(struct: structPb.Struct | undefined): Decoded {
  const secrets: Path[] = [];
  const unknowns: Path[] = [];

  const unwrap = (value: Value, path: Path): Value => {
    if (value === UNKNOWN) unknowns.push(path);
    if (isList(value)) return value.map((item, index) => unwrap(item, [...path, index]));
    if (!isObject(value)) return value;
    if (value[SIGNATURE] === SECRET) {
      secrets.push(path);
      return unwrap(value["value"] ?? null, path);
    }
    return unwrapMembers(value, path);
  };
  const unwrapMembers = (value: ValueObject, path: Path): ValueObject =>
    mapMembers(value, (member, key) => unwrap(member, [...path, key]));

  const value = unwrapMembers(toObject(struct?.toJavaScript() ?? {}), []);
  return { value, secrets, unknowns };
}

/**
 * The wire form of an object, with the values at these paths as secrets. Paths that lead nowhere are ignored.
 *
 * @throws TypeError for what JSON cannot hold
 */
export function encode(value: object, secrets: readonly Path[] = []): structPb.Struct {
  const plain = toObject(value);
  const wrapped = mapMembers(plain, (member, key) => wrap(member, below(secrets, key)));
  return structPb.Struct.fromJavaScript({ ...wrapped });
}

/** The value at a path; undefined where there is none. */
export function valueAt(value: Value, path: Path): Value | undefined {
  let found: Value | undefined = value;
  for (const key of path) {
    if (isList(found)) found = typeof key === "number" ? found[key] : undefined;
    else if (isObject(found)) found = found[key];
    else return undefined;
  }
  return found;
}

/** A copy with another value at a path; `undefined` takes an object's member out. */
export function withValueAt(value: Value, path: Path, replacement: Value | undefined): Value {
  const [key, ...rest] = path;
  if (key === undefined) return replacement ?? null;
  if (isList(value)) {
    return value.map((item, index) =>
      index === key ? withValueAt(item, rest, replacement) : item,
    );
  }
  if (!isObject(value)) return value;
  const { [key]: member, ...others } = value;
  if (rest.length === 0 && replacement === undefined) return others;
  return { ...others, [key]: withValueAt(member ?? {}, rest, replacement) };
}

/** Whether a path is that of `ancestor` or leads into it. */
export function isWithin(path: Path, ancestor: Path): boolean {
  return ancestor.every((key, index) => path[index] === key);
}

/** The strings and numbers at and below the secret paths, as text. */
export function secretTexts({ value, secrets }: Decoded): readonly string[] {
  return secrets.flatMap((path) => leafTexts(valueAt(value, path) ?? null));
}

function leafTexts(value: Value): readonly string[] {
  if (isList(value)) return value.flatMap(leafTexts);
  if (isObject(value)) return Object.values(value).flatMap(leafTexts);
  return typeof value === "string" || typeof value === "number" ? [String(value)] : [];
}

function wrap(value: Value, secrets: readonly Path[]): Value {
  if (secrets.some((path) => path.length === 0)) return { [SIGNATURE]: SECRET, value };
  if (isList(value)) return value.map((item, index) => wrap(item, below(secrets, index)));
  if (!isObject(value)) return value;
  return mapMembers(value, (member, key) => wrap(member, below(secrets, key)));
}

function below(paths: readonly Path[], key: string | number): readonly Path[] {
  return paths.filter(([first]) => first === key).map((path) => path.slice(1));
}

function mapMembers(
  value: ValueObject,
  change: (member: Value, key: string) => Value,
): ValueObject {
  const members = Object.entries(value).map(([key, member]) => [key, change(member, key)] as const);
  return Object.fromEntries(members.filter(([, member]) => member !== null));
}

function isList(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value);
}

function isObject(value: Value | undefined): value is ValueObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function toObject(value: object): ValueObject {
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.map(([key, member]) => [key, toValue(member)]));
}

function toValue(value: unknown): Value {
  if (value === null || typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (Array.isArray(value)) return value.map(toValue);
  if (typeof value === "object" && isPlain(value)) return toObject(value);
  throw new TypeError(`A resource gave a value that JSON cannot hold: a ${describe(value)}.`);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): string {
  return typeof value === "object" && value !== null ? value.constructor.name : typeof value;
}
