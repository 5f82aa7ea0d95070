/** A domain moves to another gateway only where it is another one. */
import { expect, test } from "vitest";
import { changesOf } from "./domain-change.ts";
import { domainsOf } from "./mail-domain.ts";
import type { SeenResource } from "./preview-reader.ts";
import { partOf, previewOf } from "./test-preview.ts";

const at = (gateway: string | undefined) => ({ report: { inbound: "border", gateway } });

function component(was: string | undefined, will: string | undefined): SeenResource {
  return partOf("component", { op: "same", old: at(was), new: at(will) });
}

function kinds(...resources: readonly SeenResource[]) {
  return domainsOf(previewOf(resources)).flatMap(changesOf);
}

const otherMx = partOf("mx", { changes: ["mx[1].exchange"] });
const otherRelay = partOf("drain", { changes: ["relay"] });
const otherStore = partOf("route", { changes: ["store.table"] });

test("the same gateway with another list of MX, or another relay, is no other one", () => {
  expect(kinds(component("in.a.test", "in.a.test"), otherMx)).toEqual(["other"]);
  expect(kinds(component("in.a.test", "in.a.test"), otherRelay)).toEqual(["other"]);
});

test.each([
  ["another name", component("in.a.test", "in.b.test"), otherMx],
  ["another name of one for outbound mail only", component("in.a.test", "in.b.test"), otherRelay],
  ["another store", component("in.a.test", "in.a.test"), otherStore],
  ["a name that was not known", component(undefined, "in.b.test"), otherMx],
])("%s is another gateway", (_, ...resources) => {
  expect(kinds(...resources)).toEqual(["other-gateway"]);
});
