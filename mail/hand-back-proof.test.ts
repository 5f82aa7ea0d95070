import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type HostAnswer,
  judgeLevel,
  judgeOpenness,
  mxToProve,
  type Openness,
} from "./hand-back-proof.ts";
import type { ZoneMx } from "./mx.ts";
import type { MxWorld } from "./mx-goal.ts";

const gateway = { exchange: "smtp-in.gateway.test", preference: 10 };
const goal = { wanted: [gateway], known: [] };
const names = ["a.test", "b.test", "c.test", gateway.exchange];
const someMx = fc.uniqueArray(
  fc.record({ exchange: fc.constantFrom(...names), preference: fc.constantFrom(0, 10, 20) }),
  { selector: ({ exchange }) => exchange },
);

function world(mx: readonly { exchange: string; preference: number }[]): MxWorld {
  const present = mx.map((one): ZoneMx => ({ ...one, id: one.exchange, ttl: 1 }));
  return { domain: "contoso.test", present };
}

describe("mxToProve", () => {
  test("has every host that will receive mail, by preference, and none of the gateway's", () => {
    fc.assert(
      fc.property(someMx, (end) => {
        const levels = mxToProve(world([gateway]), world(end), goal);
        const preferences = levels.map(
          (level) => new Set(level.map(({ preference }) => preference)),
        );
        expect(preferences.every(({ size }) => size === 1)).toBe(true);
        const order = levels.flatMap(([first]) => first?.preference ?? []);
        expect(order).toEqual([...new Set(order)].toSorted((a, b) => a - b));
        const theirs = end.filter((mx) => mx.exchange !== gateway.exchange || mx.preference !== 10);
        const proven = levels.flat().map(({ exchange }) => exchange);
        expect(proven.toSorted()).toEqual(theirs.map(({ exchange }) => exchange).toSorted());
      }),
    );
  });

  test("is empty where the same MX answer already", () => {
    fc.assert(
      fc.property(someMx, (mx) => {
        expect(mxToProve(world(mx), world(mx.toReversed()), goal)).toEqual([]);
      }),
    );
  });

  test("is empty where no mail is accepted, and knows a wildcard's MX", () => {
    expect(mxToProve(world([gateway]), world([]), goal)).toEqual([]);
    const nullMx = { exchange: "", preference: 0 };
    expect(mxToProve(world([gateway]), world([nullMx]), goal)).toEqual([]);
    const mx = { exchange: "a.test", preference: 10, ttl: 1 };
    const inherited = { ...world([]), inherited: { name: "*.test", mx: [mx] } };
    expect(mxToProve(world([gateway]), inherited, goal)).toEqual([[mx]]);
  });
});

function refusal(code: number, status: string, text: string, atRecipient = true): HostAnswer {
  return { kind: "refused", atRecipient, reply: { code, status, text } };
}

describe("judgeOpenness", () => {
  test.each<[string, HostAnswer, Openness["kind"]]>([
    ["accepted", { kind: "accepted" }, "open"],
    ["locked to the gateway", refusal(550, "5.7.51", "TenantInboundAttribution; …"), "closed"],
    ["a block list, before MAIL", refusal(554, "5.7.1", "blocked", false), "closed"],
    ["relaying denied", refusal(550, "5.7.1", "relaying denied"), "closed"],
    ["no such mailbox", refusal(550, "5.1.1", "no such user"), "unclear"],
    [
      "no such mailbox at Microsoft",
      refusal(550, "5.4.1", "Recipient address rejected"),
      "unclear",
    ],
    [
      "the words of it before any mailbox was named",
      refusal(550, "5.1.1", "user unknown", false),
      "closed",
    ],
    ["greylisting", { kind: "deferred" }, "unclear"],
    ["no answer", { kind: "failed" }, "unclear"],
  ])("%s", (_, answer, kind) => {
    expect(judgeOpenness(answer, ["192.0.2.1"], ["198.51.100.1"]).kind).toBe(kind);
  });

  test("from an address of the gateway only a refusal says something, however it is written", () => {
    const gateways = ["smtp-in.gateway.test", "198.51.100.1", "2001:db8::1"];
    for (const own of ["198.51.100.1", "2001:db8::1", "2001:DB8:0:0:0:0:0:1"]) {
      const seenFrom = ["10.0.0.1", own];
      expect(judgeOpenness({ kind: "accepted" }, seenFrom, gateways)).toMatchObject({
        kind: "unclear",
        why: expect.stringContaining(own),
      });
      const locked = refusal(550, "5.7.51", "no");
      expect(judgeOpenness(locked, seenFrom, gateways).kind).toBe("closed");
    }
    expect(judgeOpenness({ kind: "accepted" }, ["", "10.0.0.1"], gateways).kind).toBe("open");
  });
});

test("of equal hosts one that refuses decides, else one that accepts", () => {
  const kinds = ["open", "closed", "unclear"] as const;
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...kinds), { minLength: 1 }), (hosts) => {
      const findings = hosts.map((kind) => (kind === "unclear" ? { kind, why: "…" } : { kind }));
      const expected = ["closed", "open"].find((kind) => hosts.some((host) => host === kind));
      expect(judgeLevel(findings)).toBe(expected ?? "unclear");
    }),
  );
});
