import { expect, test } from "vitest";
import { contoso, gateway } from "./example-tenant.ts";
import { inboundByBorder, inboundWithoutMx, outboundPath } from "./mail-path.ts";
import { domain } from "./tenant.ts";
import { planTenant } from "./tenant-plan.ts";

function plan(changes: Readonly<Record<string, unknown>>) {
  const config = domain.parse({ ...contoso, ...changes });
  const [planned] = planTenant({ organisation: "contoso", gateway, domains: [config] }).domains;
  if (planned === undefined) throw new Error("no domain was planned");
  return planned;
}

const old = [
  { preference: 20, exchange: "backup.contoso.test" },
  { preference: 10, exchange: "mail.contoso.test" },
];

test("inbound border", () => {
  expect(inboundByBorder(plan({}), { before: old, after: gateway.mx })).toEqual({
    before: "sender → MX 10 mail.contoso.test, 20 backup.contoso.test",
    after: "sender → MX 10 smtp-in.gateway.test → gateway → Exchange (Server mail.contoso.test)",
  });
});

test("inbound border with bypass", () => {
  const { after } = inboundByBorder(plan({ bypass: true }), { before: old, after: old });
  expect(after).toBe(
    "sender → MX 10 mail.contoso.test, 20 backup.contoso.test (bypass: the gateway is left out)",
  );
});

test("a domain without MX, and the null MX", () => {
  const none = inboundByBorder(plan({}), { before: [], after: gateway.mx });
  expect(none.before).toBe("sender → MX none (the domain's own address)");
  const refused = [{ preference: 0, exchange: "" }];
  const nullMx = inboundByBorder(plan({}), { before: refused, after: gateway.mx });
  expect(nullMx.before).toBe("sender → MX 0 . (accepts no mail)");
});

test.each([
  [
    "loopback",
    "sender → MX (not touched) → Exchange → gateway (smtp-in.gateway.test) → Exchange (Server mail.contoso.test)",
  ],
  ["none", "sender → MX (not touched) → Exchange"],
])("inbound %s", (inbound, after) => {
  expect(inboundWithoutMx(plan({ inbound }))).toEqual({
    before: "sender → MX (not touched) → Exchange",
    after,
  });
});

test.each([
  [{ outbound: "standard" }, "Exchange → gateway (smtp-relay.gateway.test) → recipient's MX"],
  [
    { outbound: "standard", relayServer: { host: "relay.contoso.test", port: 587 } },
    "Exchange → gateway (smtp-relay.gateway.test) → Relay Server (relay.contoso.test, port 587)",
  ],
  [
    { outbound: "loopback" },
    "Exchange → gateway (smtp-relay.gateway.test) → Exchange → recipient's MX",
  ],
  [{ outbound: "none" }, "Exchange → recipient's MX"],
])("outbound %o", (changes, after) => {
  expect(outboundPath(plan(changes))).toEqual({ before: "Exchange → recipient's MX", after });
});
