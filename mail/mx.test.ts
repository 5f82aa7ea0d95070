import { describe, expect, test } from "vitest";
import {
  formatMxSet,
  gatewayComment,
  includesAllMx,
  isNullMx,
  sameMxSet,
  sortByHolder,
  sortMx,
  type ZoneMx,
} from "./mx.ts";
import { mxOf } from "./testdata/model-zone.ts";

const mx = (id: string, text: string, comment?: string): ZoneMx => ({
  ...mxOf(text),
  id,
  ttl: 1,
  ...(comment !== undefined && { comment }),
});

test("an RRset is written in the order in which senders try it", () => {
  const set = ["20 b.example.com", "10 c.example.com", "20 a.example.com"].map(mxOf);
  expect(formatMxSet(set)).toBe("10 c.example.com., 20 a.example.com., 20 b.example.com.");
  expect(sortMx(set).map(({ exchange }) => exchange[0])).toEqual(["c", "a", "b"]);
  expect(formatMxSet([])).toBe("no MX");
  expect(formatMxSet([mxOf("0 ")])).toBe("0 .");
});

test("the null MX has preference 0 and the root as its exchange (RFC 7505, section 3)", () => {
  expect(isNullMx(mxOf("0 "))).toBe(true);
  expect(isNullMx(mxOf("10 "))).toBe(false);
  expect(isNullMx(mxOf("0 mail.example.com"))).toBe(false);
});

test("RRsets are compared without regard to order, TTL and comment", () => {
  const a = [mx("1", "10 a.example.com", "x"), mx("2", "20 b.example.com")];
  const b = ["20 b.example.com", "10 a.example.com"].map(mxOf);
  expect(sameMxSet(a, b)).toBe(true);
  expect(sameMxSet(a, b.slice(1))).toBe(false);
  expect(sameMxSet(b.slice(1), a)).toBe(false);
  expect(includesAllMx(a, [mxOf("20 a.example.com")])).toBe(false);
});

describe("whose a record is", () => {
  const wanted = [mxOf("10 mx1.gateway.test")];
  const known = [mxOf("10 old.gateway.test")];

  test.each<[string, ZoneMx, "ours" | "stale" | "theirs"]>([
    ["what the gateway is to have", mx("1", "10 mx1.gateway.test"), "ours"],
    ["its host at another preference", mx("1", "20 mx1.gateway.test"), "stale"],
    ["a target that the state knows", mx("1", "5 old.gateway.test"), "stale"],
    [
      "a target that only its comment tells",
      mx("1", "10 in.example.net", gatewayComment("in.example.net")),
      "stale",
    ],
    [
      "a former target that a person pointed elsewhere",
      mx("1", "10 mail.contoso.test", gatewayComment("in.example.net")),
      "theirs",
    ],
    ["anything else", mx("1", "10 mail.contoso.test", "first floor"), "theirs"],
    ["the null MX", mx("1", "0 "), "theirs"],
  ])("%s", (_, record, holder) => {
    const none = { ours: [], stale: [], theirs: [] };
    expect(sortByHolder([record], wanted, known)).toEqual({ ...none, [holder]: [record] });
  });
});

test("the gateway's comment fits Cloudflare's free plan, however long the name", () => {
  expect(gatewayComment("mx1.gateway.test")).toBe("mxhero gateway: mx1.gateway.test");
  const longest = `${"a".repeat(63)}.${"b".repeat(63)}.example.com`;
  expect(gatewayComment(longest)).toHaveLength(100);
});
