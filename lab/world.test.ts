import { Resolver } from "node:dns/promises";
import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { exampleWorld } from "./example-world.ts";
import { createProject } from "./pulumi.ts";
import { testNet as net } from "./test-net.ts";
import { startWorld, type World } from "./world.ts";

let world: World;
const steps: string[] = [];

beforeAll(async () => {
  world = await startWorld({ net, onProgress: (step) => steps.push(step) });
});

afterAll(() => world[Symbol.asyncDispose]());

test("every domain's mail goes straight to its mail system", async () => {
  const domains = [...exampleWorld(net).routes.keys()];
  const journeys = await Promise.all(domains.map((domain) => world.mailPath(domain)));
  expect(journeys.map(({ outcome, path }) => [outcome, ...path])).toEqual([
    ["delivered", "mx.sender.test", "contoso-test.mail.protection.outlook.test"],
    ["delivered", "mx.sender.test", "mail.sub.contoso.test"],
    ["delivered", "mx.sender.test", "mail.xn--bcher-kva.test"],
    ["delivered", "mx.sender.test", "mail.fabrikam.test"],
    ["delivered", "mx.sender.test", "mail.fabrikam.test"],
  ]);
});

test("an MX that points at the gateway takes the mail through it", async () => {
  const zone = world.zoneIds.get("contoso.test") ?? "";
  const before = world.cloudflare.snapshot(zone);
  const old = before.filter(({ name, type }) => name === "contoso.test" && type === "MX");
  const target = {
    name: "contoso.test",
    type: "MX",
    content: "smtp-in.gateway.test",
    priority: 10,
  };
  await world.cloudflare.edit(zone, { remove: old, add: [target] });
  const { path } = await world.mailPath("contoso.test");
  expect(path).toEqual([
    "mx.sender.test",
    "smtp-in.gateway.test",
    "contoso-test.mail.protection.outlook.test",
  ]);
  await world.cloudflare.edit(zone, { remove: [target], add: old });
  expect(world.cloudflare.snapshot(zone)).toEqual(before);
});

test("a published MTA-STS policy is kept to, and replaced by the next one", async () => {
  const policy = { mode: "enforce", maxAge: 86_400 } as const;
  await world.publishPolicy("sub.contoso.test", { ...policy, mx: ["elsewhere.test"] });
  expect(await world.mailPath("sub.contoso.test")).toMatchObject({
    outcome: "deferred",
    path: ["mx.sender.test"],
  });
  await world.publishPolicy("sub.contoso.test", { ...policy, mx: ["mail.sub.contoso.test"] });
  expect((await world.mailPath("sub.contoso.test")).outcome).toBe("delivered");
});

test("the environment leads to the API, the resolver and the certificates", async () => {
  const { CLOUDFLARE_BASE_URL, CLOUDFLARE_API_TOKEN, CLOUDFLARE_API_TOKEN_FABRIKAM } = world.env;
  const zonesOf = async (token: string | undefined) => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${CLOUDFLARE_BASE_URL}/zones`, { headers });
    const { result }: { result: { name: string }[] } = JSON.parse(await response.text());
    return result.map(({ name }) => name).toSorted();
  };
  const fabrikam = ["fabrikam-mailing.test", "fabrikam.test"];
  expect(await zonesOf(CLOUDFLARE_API_TOKEN_FABRIKAM)).toEqual(fabrikam);
  expect(await zonesOf(CLOUDFLARE_API_TOKEN)).toEqual([
    "contoso.test",
    ...fabrikam,
    "xn--bcher-kva.test",
  ]);
  const resolver = new Resolver();
  resolver.setServers([world.env["MXHERO_RESOLVERS"] ?? ""]);
  expect(await resolver.resolve4("smtp-relay.gateway.test")).toEqual([`${net}.1.11`]);
  const file = await readFile(world.env["NODE_EXTRA_CA_CERTS"] ?? "", "utf8");
  expect(file).toBe(world.authority.cert);
});

test("every host that the example stacks name has an address", async () => {
  const project = await createProject({ directory: world.directory, env: world.env });
  const files = ["contoso", "fabrikam"].map((stack) =>
    readFile(`${project.directory}/stacks/Pulumi.${stack}.yaml`, "utf8"),
  );
  const text = (await Promise.all(files)).join("\n");
  const hosts = [...text.matchAll(/^[ -]*(?:server|exchange|smtpIn|smtpRelay): (\S+)/gm)].map(
    ([, host = ""]) => new URL(`http://${host}`).hostname,
  );
  const resolver = new Resolver();
  resolver.setServers([world.dns.resolver]);
  const found = await Promise.all([...new Set(hosts)].map((host) => resolver.resolve4(host)));
  expect(found).toHaveLength(6);
});

test("it says what it starts", () => {
  expect(steps).toEqual(["DNS", "Cloudflare's API", "gateway and mail systems"]);
});
