import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MailRuleError } from "./errors.ts";
import type { Claim } from "./journal.ts";
import type { RouteRecord } from "./route.ts";
import {
  claimDomain,
  claimFault,
  identityClaimFault,
  namesOf,
  releaseClaim,
} from "./route-claim.ts";
import { leavingTimes } from "./route-life.ts";
import { NOW, recordOf, routeOf } from "./testdata/routes.ts";

const FIRST: Claim = { resource: "0a1b2c3d", generation: "4e5f6071" };
const AGAIN: Claim = { resource: "0a1b2c3d", generation: "99999999" };
const SECOND: Claim = { resource: "ffffffff", generation: "00000001" };
const RECORD = recordOf(routeOf("contoso.test"));

function claim(
  record: RouteRecord | undefined,
  organisation: string,
  by: Claim,
  mayClaim = true,
): string {
  try {
    const holder = claimDomain(record, { organisation, claim: by, mayClaim }, NOW);
    return `${holder.organisation}: ${holder.claims.join(" ")}`;
  } catch (error) {
    if (error instanceof MailRuleError) return error.code;
    throw error;
  }
}

function update(organisation: string) {
  return claimDomain(RECORD, { organisation, claim: SECOND, mayClaim: false }, NOW);
}

describe("claiming a domain", () => {
  const expired = { ...RECORD, leaving: leavingTimes(new Date(0)) };
  const leaving = { ...RECORD, leaving: leavingTimes(NOW) };

  test.each([
    ["a new one", undefined, "contoso", FIRST, true, "contoso: 0a1b2c3d.4e5f6071"],
    ["again after a crash", RECORD, "contoso", AGAIN, true, "contoso: 0a1b2c3d.99999999"],
    ["by an update", RECORD, "contoso", FIRST, false, "contoso: 0a1b2c3d.4e5f6071"],
    [
      "by another stack of it",
      RECORD,
      "contoso",
      SECOND,
      true,
      "contoso: 0a1b2c3d.4e5f6071 ffffffff.00000001",
    ],
    ["by an update that lost it", RECORD, "contoso", SECOND, false, "claim-lost"],
    ["under a new name", RECORD, "contoso-group", FIRST, false, "contoso-group: 0a1b2c3d.4e5f6071"],
    ["by another organisation", RECORD, "fabrikam", SECOND, true, "domain-held"],
    ["by another one while it is leaving", leaving, "fabrikam", SECOND, true, "domain-held"],
    [
      "by another one after its end",
      expired,
      "fabrikam",
      SECOND,
      true,
      "fabrikam: ffffffff.00000001",
    ],
    [
      "by another stack of it while it is leaving",
      leaving,
      "contoso",
      SECOND,
      true,
      "contoso: ffffffff.00000001",
    ],
    ["by an update after its end", expired, "contoso", FIRST, false, "contoso: 0a1b2c3d.4e5f6071"],
  ] as const)("%s", (_, record, organisation, by, mayClaim, result) => {
    expect(claim(record, organisation, by, mayClaim)).toBe(result);
  });

  test("the owner is named within its organisation only", () => {
    expect(() => update("contoso")).toThrow(/"contoso".*0a1b2c3d\.4e5f6071/);
    expect(() => update("fabrikam")).toThrow(/^Another organisation holds contoso\.test at this/);
  });
});

describe("releasing a claim", () => {
  const both = {
    ...RECORD,
    holder: { organisation: "contoso", claims: ["0a1b2c3d.4e5f6071", "ffffffff.00000001"] },
  };

  test.each([
    ["of nothing", undefined, FIRST, { kind: "not-held" }],
    ["that a later create replaced", RECORD, AGAIN, { kind: "not-held" }],
    ["that never was", RECORD, SECOND, { kind: "not-held" }],
    ["the last one", RECORD, FIRST, { kind: "last" }],
    [
      "one of two",
      both,
      FIRST,
      { kind: "kept", holder: { organisation: "contoso", claims: ["ffffffff.00000001"] } },
    ],
  ] as const)("%s", (_, record, by, result) => {
    expect(releaseClaim(record, by)).toEqual(result);
  });
});

const NAMES = ["test", "a.test", "b.a.test", "c.b.a.test", "b.b.a.test", "aa.test", "xb.a.test"];

test("names of two organisations never lie in one another, and siblings may", () => {
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), fc.constantFrom(...NAMES), (mine, theirs) => {
      const [a, b] = [mine, theirs].map((name) => name.split(".").toReversed());
      if (a === undefined || b === undefined) throw new Error("two names were given");
      const related = a.every((label, i) => i >= b.length || label === b[i]);
      const held = [{ domain: theirs, organisation: "fabrikam" }];
      expect(claimFault(mine, ["contoso"], held, NOW) !== undefined).toBe(related);
      expect(claimFault(mine, ["fabrikam"], held, NOW)).toBeUndefined();
      const expired = held.map((one) => ({ ...one, until: NOW.toISOString() }));
      expect(claimFault(mine, ["contoso"], expired, NOW)).toBeUndefined();
    }),
  );
});

test("a refusal does not say who holds it, nor which name below", () => {
  const held = [{ domain: "secret-project.contoso.test", organisation: "fabrikam" }];
  const fault = claimFault("contoso.test", ["contoso"], held, NOW);
  expect(fault?.code).toBe("domain-relative-held");
  expect(JSON.stringify(fault)).not.toMatch(/fabrikam|secret-project/);
});

test("identities that overlap belong to one organisation, under its old name too", () => {
  const held = [
    { identity: { kind: "network", network: "11.0.0.0/24" }, organisation: "fabrikam" },
  ] as const;
  const inside = { kind: "network", network: "11.0.0.7/32" } as const;
  const beside = { kind: "network", network: "11.0.1.7/32" } as const;
  const fault = identityClaimFault(inside, ["contoso"], held, NOW);
  expect(fault).toMatchObject({ code: "identity-held", value: "11.0.0.7" });
  expect(JSON.stringify(fault)).not.toContain("fabrikam");
  expect(identityClaimFault(beside, ["contoso"], held, NOW)).toBeUndefined();
  const renamed = { organisation: "fabrikam-group", claim: FIRST, mayClaim: false };
  const record = recordOf(routeOf("fabrikam.test"), "fabrikam");
  expect(identityClaimFault(inside, namesOf(renamed, record), held, NOW)).toBeUndefined();
  const stranger = { ...renamed, claim: SECOND };
  expect(identityClaimFault(inside, namesOf(stranger, record), held, NOW)).toBeDefined();
});
