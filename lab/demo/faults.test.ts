import { expect, test } from "vitest";
import type { Journey } from "../world.ts";
import type { DomainView } from "./domain-view.ts";
import { faultsAfterDestroy, faultsAfterUp, faultsOfMail } from "./faults.ts";
import type { DomainOutputs } from "./stacks.ts";

const gateway = "smtp-in.gateway.test";
const straight = ["mx.sender.test", "mail.contoso.test"];
const through = ["mx.sender.test", gateway, "mail.contoso.test"];

function journey(path: readonly string[], change: Partial<Journey> = {}): Journey {
  return { id: "m1", outcome: "delivered", reason: "250 OK", attempts: [], path, ...change };
}

function view(change: Partial<DomainView>): DomainView {
  return {
    domain: "contoso.test",
    journey: journey(through),
    mx: "",
    spf: "",
    journal: undefined,
    sentByGateway: "pass",
    ...change,
  };
}

function afterUp(change: Partial<DomainView>, stack: DomainOutputs) {
  return faultsAfterUp([view(change)], new Map([["contoso.test", stack]]), gateway);
}

const border = { inbound: "border", outbound: "standard" };
const refused = journey(["mx.sender.test"], { outcome: "bounced", reason: "550 no" });

test("mail takes the way that the stack says", () => {
  expect(afterUp({}, border)).toEqual([]);
  expect(afterUp({ journey: journey(straight) }, { ...border, inbound: "none" })).toEqual([]);
  expect(afterUp({ journey: journey(straight) }, border)).toEqual([
    "Mail to contoso.test goes mx.sender.test → mail.contoso.test, but inbound is border.",
  ]);
  expect(afterUp({}, { ...border, inbound: "none" })).toEqual([
    "Mail to contoso.test goes mx.sender.test → smtp-in.gateway.test → mail.contoso.test, but inbound is none.",
  ]);
  expect(afterUp({ journey: refused }, border)).toEqual([
    "Mail to contoso.test does not arrive: bounced (550 no).",
  ]);
});

test("what the gateway sends passes SPF where it sends", () => {
  expect(afterUp({ sentByGateway: "fail" }, { ...border, outbound: "none" })).toEqual([]);
  const route = { relayServer: "filter.test, port 25, TLS required" };
  expect(afterUp({ sentByGateway: "fail" }, { ...border, route })).toEqual([]);
  const none = { ...border, route: { relayServer: "none" } };
  expect(afterUp({ sentByGateway: "fail" }, none)).toHaveLength(1);
  expect(afterUp({ sentByGateway: "fail" }, border)).toEqual([
    "Mail of contoso.test that the gateway sends: SPF fail.",
  ]);
});

test("a domain that no stack tells of is a fault", () => {
  expect(faultsAfterUp([view({})], new Map(), gateway)).toEqual([
    "No stack says anything of contoso.test.",
  ]);
});

test("after the hand-back mail goes its old way", () => {
  const old = view({ journey: journey(straight, { id: "m0" }) });
  expect(faultsAfterDestroy([old], [view({ journey: journey(straight) })])).toEqual([]);
  expect(faultsAfterDestroy([old], [view({})])).toEqual([
    "Mail to contoso.test went mx.sender.test → mail.contoso.test, and goes mx.sender.test → smtp-in.gateway.test → mail.contoso.test.",
  ]);
});

test("every message arrives once", () => {
  const domain = "contoso.test";
  const sent = [{ domain, journey: journey(through) }];
  expect(faultsOfMail(sent, ["m1", "other"])).toEqual([]);
  expect(faultsOfMail(sent, ["m1", "m1"])).toEqual(["Message m1 to contoso.test arrived 2 times."]);
  expect(faultsOfMail([{ domain, journey: refused }], [])).toEqual([
    "Message m1 to contoso.test is lost: bounced (550 no).",
  ]);
  const vanished = journey(["mx.sender.test"]);
  expect(faultsOfMail([{ domain, journey: vanished }], [])).toEqual([
    "Message m1 to contoso.test is lost: delivered (250 OK), but kept nowhere.",
  ]);
});
