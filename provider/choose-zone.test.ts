import { expect, test } from "vitest";
import { chooseZone, type Delegation } from "./choose-zone.ts";
import type { CandidateZone } from "./cloudflare-records.ts";

const nameServers = ["ada.ns.example", "bob.ns.example"];

function zone(id: string, values: Partial<CandidateZone> = {}): CandidateZone {
  return { id, name: "example.com", status: "active", type: "full", nameServers, ...values };
}

function choose(
  candidates: CandidateZone[],
  domain = "example.com",
  delegation: Partial<Delegation> = {},
) {
  return chooseZone(candidates, domain, { apex: "example.com", nameServers, ...delegation });
}

const pending = zone("pending", {
  status: "pending",
  nameServers: ["carl.ns.example", "dora.ns.example"],
});
const secondary = zone("secondary", { type: "secondary" });
const partial = zone("partial", { type: "partial" });
const elsewhere = zone("elsewhere", { nameServers: ["carl.ns.example", "bob.ns.example"] });

test.each([
  ["the only one", [zone("live")]],
  ["beside a pending duplicate of another account", [pending, zone("live")]],
  ["beside one that only proxies and one that only copies", [partial, secondary, zone("live")]],
  ["beside an active one with other name servers", [elsewhere, zone("live")]],
  [
    "with more name servers than it is delegated to",
    [zone("live", { nameServers: ["eve.ns.example", ...nameServers] })],
  ],
])("the zone that public DNS uses is chosen: %s", (_which, candidates) => {
  expect(choose(candidates)).toMatchObject({ id: "live", name: "example.com" });
  expect(choose(candidates, "deep.sub.example.com")).toMatchObject({ id: "live" });
});

test.each([
  ["pending", pending],
  ["moved away", zone("moved", { status: "moved" })],
  ["partial", partial],
  ["secondary", secondary],
  ["delegated to one name server that the zone does not have", elsewhere],
])("a zone that public DNS does not use is refused, with what was seen: %s", (_what, candidate) => {
  const { id, name, status, type } = candidate;
  expect(() => choose([candidate])).toThrow(
    expect.objectContaining({
      code: "zone-not-live",
      problem: expect.stringContaining(`${id}: ${name}, ${status}, ${type}`),
      value: "example.com",
    }),
  );
});

test("a parent zone is refused where the domain lies in a zone of its own", () => {
  const parent = zone("parent");
  const refusal = expect.objectContaining({
    code: "zone-not-live",
    problem: expect.stringContaining("sub.example.com, delegated to ada.ns.example"),
  });
  expect(() => choose([parent], "mail.sub.example.com", { apex: "sub.example.com" })).toThrow(
    refusal,
  );
});

test.each(["notexample.com", "example.com.test", "com"])(
  "%s does not lie in the zone example.com",
  (domain) => {
    expect(() => choose([zone("other")], domain, { apex: domain })).toThrow(
      expect.objectContaining({ code: "domain-outside-zone", value: "other" }),
    );
  },
);

test("no zone at all is a missing zone", () => {
  expect(() => choose([])).toThrow(expect.objectContaining({ code: "zone-missing" }));
});
