import { describe, expect, test } from "vitest";
import { z } from "zod";
import { check } from "./check.ts";
import { decode, encode, type Path, UNKNOWN } from "./wire.ts";

const schema = z.strictObject({
  domain: z.string().refine((text) => text.includes("."), {
    error: (issue) => `"${String(issue.input)}" has no dot`,
  }),
  mx: z.array(z.strictObject({ exchange: z.string(), preference: z.number() })),
  wait: z.number().default(60),
});

const right = { domain: "contoso.test", mx: [{ exchange: "mx.contoso.test", preference: 10 }] };

function faultsOf(value: object, secrets: Path[] = []): readonly string[] {
  return check(schema, decode(encode(value, secrets))).faults;
}

describe("check", () => {
  test("gives the value with its defaults", () => {
    expect(check(schema, decode(encode(right)))).toEqual({
      faults: [],
      value: { ...right, wait: 60 },
    });
  });

  test("reports every fault with its path", () => {
    const faults = faultsOf({ domain: "contoso", mx: [{ exchange: 5, preference: 10 }], more: 1 });
    expect(faults).toHaveLength(3);
    expect(faults[0]).toBe('domain: "contoso" has no dot');
    expect(faults[1]).toMatch(/^mx\[0\]\.exchange: /);
    expect(faults[2]).toContain('"more"');
  });

  test("never quotes a secret", () => {
    const faults = faultsOf({ ...right, domain: "hunter22" }, [["domain"]]);
    expect(faults).toEqual(["domain: is not valid (custom; it is a secret and not shown)"]);
  });

  test.each<[string, object]>([
    ["text", { ...right, domain: UNKNOWN }],
    ["number in a list", { ...right, mx: [{ exchange: "a.test", preference: UNKNOWN }] }],
    ["list", { ...right, mx: UNKNOWN }],
  ])("does not judge an unknown %s", (_name, value) => {
    expect(check(schema, decode(encode(value)))).toEqual({ faults: [], value: undefined });
  });

  test("judges what stands beside an unknown", () => {
    const faults = faultsOf({ mx: UNKNOWN, wait: "long", more: 1 });
    expect(faults.map((fault) => fault.split(":")[0])).toEqual([
      "domain",
      "wait",
      "Unrecognized key",
    ]);
  });
});
