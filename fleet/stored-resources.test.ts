/** What a state tells of its stack. */
import { expect, test } from "vitest";
import { storedKind } from "./stored-resources.ts";

function stateOf(...types: string[]): string {
  const resources = types.map((type) => ({ urn: `urn:pulumi:s::mail::${type}::x`, type }));
  return JSON.stringify({ version: 3, deployment: { resources } });
}

test.each([
  ["gateway", ["pulumi:pulumi:Stack", "mxhero:gateway:Gateway", "mxhero:index:GatewayFleet"]],
  // A destroy that was cut short: the fleet goes first.
  ["gateway", ["pulumi:pulumi:Stack", "mxhero:gateway:Gateway", "aws:ec2/vpc:Vpc"]],
  ["gateway", ["mxhero:index:GatewayFleet"]],
  ["tenant", ["pulumi:pulumi:Stack", "mxhero:tenant:Tenant", "mxhero:index:Route"]],
  ["tenant", ["mxhero:index:MxTakeover"]],
  ["unknown", ["pulumi:pulumi:Stack", "aws:ec2/vpc:Vpc"]],
  ["unknown", []],
])("it is a stack of the kind %s by %j", (kind, types) => {
  expect(storedKind(stateOf(...types))).toBe(kind);
});

test("a stack that was never brought up is of no kind", () => {
  expect(storedKind(JSON.stringify({ version: 3, deployment: null }))).toBe("unknown");
});
