import { describe, expect, test } from "vitest";
import { z } from "zod";
import type { ResourceKind } from "../resource.ts";
import { changes } from "./diff.ts";
import { decode, encode, type Path, UNKNOWN } from "./wire.ts";

const inputs = z.strictObject({
  domain: z.string(),
  size: z.number(),
  login: z.strictObject({ user: z.string(), password: z.string() }),
});
type Inputs = z.output<typeof inputs>;

const neverCalled = () => Promise.reject(new Error("diff stays without other calls"));
const kind: ResourceKind<Inputs, Inputs> = {
  type: "mxhero:index:Toy",
  inputs,
  outputs: inputs,
  diff: (old, news) => [
    ...(old.domain === news.domain
      ? []
      : [{ path: "domain", kind: "update" as const, replace: true }]),
    ...(old.size === news.size ? [] : [{ path: "size", kind: "update" as const }]),
  ],
  create: neverCalled,
  read: neverCalled,
  update: neverCalled,
  delete: neverCalled,
};

const state = { domain: "contoso.test", size: 1, login: { user: "ann", password: "hunter22" } };
const password: Path = ["login", "password"];

function changesOf(news: object, { was = [] as Path[], is = [] as Path[] } = {}) {
  return changes(kind, decode(encode(state, was)), state, decode(encode(news, is)));
}

describe("changes", () => {
  test("are none for equal values", () => {
    expect(changesOf(state)).toEqual([]);
    expect(changesOf(state, { was: [password], is: [password] })).toEqual([]);
  });

  test("are those that the resource finds", () => {
    expect(changesOf({ ...state, domain: "example.com" })).toEqual([
      { path: "domain", kind: "update", replace: true },
    ]);
  });

  test("have an unknown input at its path, beside those that are known", () => {
    const news = { domain: "example.com", size: UNKNOWN, login: { user: UNKNOWN, password: "x" } };
    expect(changesOf(news)).toEqual([
      { path: "domain", kind: "update", replace: true },
      { path: "login.user", kind: "update" },
      { path: "size", kind: "update" },
    ]);
  });

  test("need another resource where an unknown input does", () => {
    const news = { ...state, domain: UNKNOWN, size: UNKNOWN };
    const replacing = { ...kind, replaceOn: ["domain"] };
    const old = decode(encode(state));
    expect(changes(replacing, old, state, decode(encode(news)))).toEqual([
      { path: "domain", kind: "update", replace: true },
      { path: "size", kind: "update" },
    ]);
  });

  test("have an unknown input that was not there before as an addition", () => {
    expect(changesOf({ ...state, more: UNKNOWN })).toEqual([{ path: "more", kind: "add" }]);
  });

  test("have a whole unknown object at its path", () => {
    expect(changesOf({ ...state, login: UNKNOWN })).toEqual([{ path: "login", kind: "update" }]);
  });

  test("have what became a secret, but not what lies in one already or is not stored", () => {
    expect(changesOf(state, { is: [password] })).toEqual([
      { path: "login.password", kind: "update" },
    ]);
    expect(changesOf(state, { was: [["login"]], is: [password] })).toEqual([]);
    expect(changesOf({ ...state, more: "x" }, { is: [["more"]] })).toEqual([]);
  });
});
