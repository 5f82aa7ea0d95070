import * as fc from "fast-check";
import structPb from "google-protobuf/google/protobuf/struct_pb.js";
import { describe, expect, test } from "vitest";
import {
  decode,
  encode,
  type Path,
  secretTexts,
  UNKNOWN,
  type Value,
  valueAt,
  withValueAt,
} from "./wire.ts";

const SIGNATURE = "4dabf18193072939515e22adb298388d";
const SECRET = "1b47061264138c4ac30d75fd1eb44270";

const key = fc.string({ maxLength: 8 }).filter((text) => text !== "__proto__");
const leaf = fc.oneof(
  fc.boolean(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((number) => !Object.is(number, -0)),
  fc.string(),
  fc.constant(UNKNOWN),
);
const { value: anyValue } = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    leaf,
    fc.array(fc.oneof(tie("value"), fc.constant(null)), { maxLength: 4 }),
    fc.dictionary(key, tie("value"), { maxKeys: 4 }),
  ),
}));
const anyObject = fc.dictionary(key, anyValue, { maxKeys: 4 });

/** Every path of a value, the root excluded. */
function pathsOf(value: Value, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const here = [...path, Array.isArray(value) ? Number(name) : name];
    return [here, ...pathsOf(member, here)];
  });
}

const objectWithSecrets = anyObject.chain((value) =>
  fc.record({ value: fc.constant(value), secrets: fc.subarray(pathsOf(value)) }),
);

describe("a round trip over the wire", () => {
  test("keeps every value, its secrets and its unknowns", () => {
    fc.assert(
      fc.property(objectWithSecrets, ({ value, secrets }) => {
        const bytes = encode(value, secrets).serializeBinary();
        const decoded = decode(structPb.Struct.deserializeBinary(bytes));
        expect(decoded.value).toEqual(value);
        const unknowns = pathsOf(value).filter((path) => valueAt(value, path) === UNKNOWN);
        expect(asSet(decoded.unknowns)).toEqual(asSet(unknowns));
        const outermost = secrets.filter(
          (path) => !secrets.some((other) => other !== path && startsWith(path, other)),
        );
        expect(asSet(decoded.secrets)).toEqual(asSet(outermost));
      }),
    );
  });

  test("shows no secret outside its wrapping", () => {
    fc.assert(
      fc.property(objectWithSecrets, ({ value, secrets }) => {
        const marked = secrets.reduce<Value>(
          (changed, path) => withValueAt(changed, path, "very-secret"),
          value,
        );
        const wire = encode(Object(marked), secrets).toJavaScript();
        const stripped = JSON.stringify(wire, (_name, member: unknown) =>
          isSecret(member) ? "hidden" : member,
        );
        expect(stripped).not.toContain("very-secret");
      }),
    );
  });
});

/** The order of an object's members does not survive the wire. */
function asSet(paths: readonly Path[]): ReadonlySet<string> {
  return new Set(paths.map((path) => JSON.stringify(path)));
}

function startsWith(path: Path, other: Path): boolean {
  return other.length < path.length && other.every((part, index) => path[index] === part);
}

function isSecret(value: unknown): boolean {
  return (
    typeof value === "object" && value !== null && SIGNATURE in value && value[SIGNATURE] === SECRET
  );
}

describe("decode", () => {
  test("takes nested secrets apart and finds an unknown in one", () => {
    const inner = { [SIGNATURE]: SECRET, value: UNKNOWN };
    const struct = structPb.Struct.fromJavaScript({
      login: { [SIGNATURE]: SECRET, value: { user: "ann", password: inner } },
    });
    expect(decode(struct)).toEqual({
      value: { login: { user: "ann", password: UNKNOWN } },
      secrets: [["login"], ["login", "password"]],
      unknowns: [["login", "password"]],
    });
  });

  test("takes a null member for an absent one and keeps nulls in lists", () => {
    const struct = structPb.Struct.fromJavaScript({ a: null, b: { c: null }, d: [null, 1] });
    expect(decode(struct).value).toEqual({ b: {}, d: [null, 1] });
  });

  test("takes a missing struct for an empty one", () => {
    expect(decode(undefined)).toEqual({ value: {}, secrets: [], unknowns: [] });
  });
});

describe("encode", () => {
  test("leaves out undefined and null members", () => {
    expect(encode({ a: undefined, b: null, c: { d: undefined } }).toJavaScript()).toEqual({
      c: {},
    });
  });

  test.each([
    ["Map", new Map()],
    ["Date", new Date(0)],
    ["function", () => 1],
    ["number", Number.NaN],
  ])("refuses a %s", (name, value) => {
    expect(() => encode({ value })).toThrow(`JSON cannot hold: a ${name}`);
  });
});

describe("withValueAt", () => {
  test("changes nothing else, and valueAt finds the change", () => {
    fc.assert(
      fc.property(objectWithSecrets, ({ value, secrets: paths }) => {
        for (const path of paths) {
          const changed = withValueAt(value, path, "new");
          expect(valueAt(changed, path)).toBe("new");
          expect(withValueAt(changed, path, valueAt(value, path))).toEqual(value);
        }
        expect(paths.length).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("takes an object's member out", () => {
    expect(withValueAt({ a: { b: 1, c: 2 } }, ["a", "b"], undefined)).toEqual({ a: { c: 2 } });
  });
});

test("secretTexts gives the text of every leaf below a secret", () => {
  const secrets = [["token"], ["login"]];
  const decoded = decode(
    encode({ token: "t", login: { pin: 4711, names: ["a"] }, open: "o" }, secrets),
  );
  expect(secretTexts(decoded).toSorted()).toEqual(["4711", "a", "t"]);
});
