import { expect, test } from "vitest";
import { stepFacts } from "./domain-steps.ts";
import { contoso, contosoWithRoute, gateway, gatewayWithRoutes } from "./example-tenant.ts";
import { gatewayOutputs } from "./gateway-hosts.ts";
import { domain } from "./tenant.ts";

function facts(
  given: Readonly<Record<string, unknown>>,
  raw: unknown = gateway,
  others: readonly Readonly<Record<string, unknown>>[] = [],
) {
  const config = domain.parse(given);
  const domains = [...others.map((other) => domain.parse(other)), config];
  return stepFacts(
    { organisation: "contoso", gateway: gatewayOutputs.parse(raw), domains },
    config,
  );
}

test("a gateway of one's own tells its addresses; who sends is told, too", () => {
  const {
    gateway: known,
    sendingFrom,
    probeRecipient,
  } = facts(contosoWithRoute, gatewayWithRoutes);
  expect(known).toMatchObject({
    deliversFrom: ["203.0.113.7", "203.0.113.9"],
    relaysFrom: ["203.0.113.8", "203.0.113.10"],
    isHosted: false,
  });
  expect(sendingFrom).toEqual(["11.22.33.44"]);
  expect(probeRecipient).toBe("info@contoso.test");
});

test("a gateway that is given by its host names does not tell them, the hosted one's are known", () => {
  expect(facts(contoso).gateway).toMatchObject({
    deliversFrom: [],
    relaysFrom: [],
    isHosted: true,
  });
  const smtpIn = "smtp-in.mxhero.com";
  const hosted = { ...gateway, smtpIn, mx: [{ exchange: smtpIn, preference: 10 }] };
  const { deliversFrom, relaysFrom, formerNames } = facts(contoso, hosted).gateway;
  // mxHERO Google Workspace guide, section 2.2.
  expect(deliversFrom).toContain("54.208.111.28");
  expect(relaysFrom).toHaveLength(8);
  expect(formerNames).toContain("gmail-out.mxhero.com");
});

test("the neighbours are the domains in the same kind of mail system", () => {
  const others = [
    { ...contoso, name: "shop.test" },
    { ...contoso, name: "cloud.test", mailSystem: "google" },
  ];
  expect(facts(contoso, gateway, others).neighbours).toEqual([
    { domain: "shop.test", inbound: "border", outbound: "standard" },
  ]);
});
