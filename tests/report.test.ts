/**
 * The previews that the reports' golden files are made from: made here by the real engine, and compared with those in
 * report/testdata. What the reports say of them is tested beside report/.
 */
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { buildReport } from "../report/build-report.ts";
import { asGolden, readPreview } from "./read-preview.ts";
import {
  addNewGateway,
  type RoutingGateway,
  type RoutingLab,
  startRoutingLab,
} from "./routing-lab.ts";
import { type DomainEntry, mx, succeeded, type TenantStack, txt } from "./tenant.ts";

vi.setConfig({ testTimeout: 600_000, hookTimeout: 180_000 });

const DAY = 86_400;
const PASSWORD = "correct-horse-battery-staple";

let lab: RoutingLab;
let old: RoutingGateway;
let next: RoutingGateway;

beforeAll(async () => {
  lab = await startRoutingLab();
  old = await lab.addGateway("old");
  next = await addNewGateway(lab);
});

afterAll(() => lab[Symbol.asyncDispose]());

/** Compares with the golden file, and checks the status. */
async function golden(
  name: string,
  stack: TenantStack,
  { args, env = {} }: { args?: readonly string[]; env?: Record<string, string | undefined> } = {},
): Promise<string> {
  const options = { env: { ...lab.options.env, ...env } };
  const preview = await readPreview(stack, args, options);
  const file = join(import.meta.dirname, "../report/testdata", `${name}.preview.json`);
  await expect(asGolden(preview)).toMatchFileSnapshot(file);
  return buildReport(preview, { stack: stack.name, kind: "tenant" }).status;
}

/** MX with a TTL of a day, a sub-domain at the same host, and an SPF record that is almost full. */
async function addWoodgrove(): Promise<void> {
  const host = "mail.woodgrove.test";
  const spf =
    "v=spf1 a:mail.woodgrove.test include:_spf.marketing.test include:_spf.crm.test include:_spf.newsletter.test -all";
  await lab.tenants.addZone("woodgrove.test", [
    { ...mx("woodgrove.test", 10, host), ttl: DAY },
    mx("shop.woodgrove.test", 10, host),
    txt("woodgrove.test", spf),
  ]);
}

test("a domain's life, by previews: from onboarding to its end", async () => {
  await addWoodgrove();
  const { options } = lab;
  const entry: DomainEntry = { name: "woodgrove.test", quietSeconds: DAY, overlapSeconds: 60 };
  const stack = await lab.addStack("woodgrove", old, [entry]);
  expect(await golden("onboard", stack)).toBe("changed");
  const noToken = { CLOUDFLARE_API_TOKEN: undefined };
  expect(await golden("not-read", stack, { env: noToken })).toBe("incomplete");

  // The overlap is for people, not for tests.
  await lab.write(stack, old, [{ ...entry, overlapSeconds: 0 }]);
  await succeeded(stack.up([], options));
  expect(await golden("unchanged", stack)).toBe("unchanged");

  const change = async (name: string, changed: Partial<DomainEntry>, of = old) => {
    await lab.write(stack, of, [{ ...entry, overlapSeconds: 0, ...changed }]);
    return golden(name, stack);
  };
  expect(await change("server", { server: "mail2.woodgrove.test" })).toBe("changed");
  expect(await change("other-gateway", {}, next)).toBe("changed");
  expect(await change("mail-system", { mailSystem: "other" })).toBe("changed");
  expect(await change("direction", { outbound: "none" })).toBe("changed");
  expect(await change("bypass", { bypass: true })).toBe("changed");
  await succeeded(stack.up([], options));
  expect(await change("end-bypass", {})).toBe("changed");
  await succeeded(stack.up([], options));
  expect(await change("inactivate", { inactive: true })).toBe("changed");
  await succeeded(stack.up([], options));
  expect(await change("activate", {})).toBe("changed");
  await succeeded(stack.up([], options));

  const destroy = ["destroy", "--preview-only"];
  expect(await golden("offboard", stack, { args: destroy })).toBe("changed");

  const login = { user: "gateway@woodgrove.test", passwordName: "filter" };
  const relayServer = { host: "filter.mail-host.test", port: 587, tls: "verified", login } as const;
  await lab.write(stack, old, [{ ...entry, overlapSeconds: 0, relayServer }]);
  expect(await golden("broken-file", stack)).toBe("failed");
  const path = ["--path", "mail:relayPasswords.filter", PASSWORD];
  await succeeded(stack.run(["config", "set", "--secret", ...path]));
  expect(await golden("relay-server", stack)).toBe("changed");
  await succeeded(stack.up([], options));
  const other = ["--path", "mail:relayPasswords.filter", `${PASSWORD}-2`];
  await succeeded(stack.run(["config", "set", "--secret", ...other]));
  expect(await golden("password", stack)).toBe("changed");
});

/** At a gateway that is given by its host names, whose routes somebody else keeps. */
test("two domains at a gateway of somebody else: one leaves, then both would", async () => {
  const entries: readonly DomainEntry[] = [
    {
      name: "contoso.test",
      mailSystem: "microsoft365",
      server: "contoso-test.mail.protection.outlook.test",
      quietSeconds: DAY,
      handBackConfirmed: false,
    },
    { name: "bücher.test", server: "mail.xn--bcher-kva.test", outbound: "none" },
  ];
  const stack = await lab.tenants.addStack("contoso", { domains: entries });
  expect(await golden("onboard-two", stack)).toBe("changed");
  await succeeded(stack.up());
  // The environment comes before it: the preview itself asks the lab.
  const elsewhere = { "mxhero:cloudflareBaseUrl": "https://api.example.com/client/v4" };
  await stack.write({ domains: entries, config: elsewhere });
  expect(await golden("settings", stack)).toBe("changed");
  await stack.write({ domains: entries.slice(0, 1) });
  expect(await golden("remove-domain", stack)).toBe("changed");
  const args = ["destroy", "--preview-only"];
  expect(await golden("offboard-two", stack, { args })).toBe("changed");
  // Once a run has taken the settings over, they are nothing new.
  await stack.write({ domains: entries, config: elsewhere });
  await succeeded(stack.up());
  const { status, risks } = buildReport(await readPreview(stack), { stack: "x", kind: "tenant" });
  expect({ status, risks }).toEqual({ status: "unchanged", risks: [] });
});

/** In a zone that no API is asked about, without a token. */
test("a domain whose records a person changes", async () => {
  const name = "manual.test";
  const { dns, net } = lab.tenants.world;
  await dns.addZone(name);
  await dns.publish(name, [
    { name: `mail.${name}`, type: "A", ttl: 300, records: [`${net}.2.9`] },
    { name, type: "MX", ttl: 300, records: [`10 mail.${name}.`] },
    { name, type: "TXT", ttl: 300, records: [`"v=spf1 a:mail.${name} -all"`] },
  ]);
  const entry: DomainEntry = { name, dns: "manual" };
  const stack = await lab.tenants.addStack("manual", { domains: [entry] });
  const env = { CLOUDFLARE_API_TOKEN: undefined };
  expect(await golden("manual", stack, { env })).toBe("changed");
});

test("a policy that must be changed first: the preview fails, and the report says why", async () => {
  const domain = "fabrikam-mailing.test";
  await lab.tenants.world.publishPolicy(domain, {
    mode: "enforce",
    mx: ["mail.fabrikam.test"],
    maxAge: 7 * DAY,
  });
  const entry = { name: domain, server: "mail.fabrikam.test" };
  const stack = await lab.tenants.addStack("mailing", {
    organisation: "fabrikam",
    domains: [entry],
  });
  expect(await golden("refused", stack)).toBe("failed");
});
