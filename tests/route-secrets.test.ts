/** The password for a Relay Server lies in the parameter store, and nowhere else in clear. */
import { DynamoDBClient, ScanCommand } from "@aws-sdk/client-dynamodb";
import { DescribeParametersCommand, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { testNet } from "../lab/test-net.ts";
import { type RouteEntry, type RouteLab, startRouteLab } from "./route-lab.ts";
import { failed, type Run, succeeded, type TenantStack } from "./tenant.ts";
import { sound } from "./test-agents.ts";
import { startWriteProxy, type WriteProxy } from "./write-proxy.ts";

vi.setConfig({ testTimeout: 180_000, hookTimeout: 120_000 });

const FIRST = "correct horse battery staple";
const SECOND = "a rolling stone gathers no moss";

let lab: RouteLab;
let proxy: WriteProxy;

beforeAll(async () => {
  lab = await startRouteLab(["a"]);
  proxy = await startWriteProxy(`${testNet}.5.2`, lab.moto.url);
});

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

function entry(withLogin: boolean, domain = "secret.test"): RouteEntry {
  const login = withLogin ? { login: { user: "contoso", password: "$password" } } : {};
  return {
    domain,
    nextHops: "private",
    outbound: "standard",
    sendingFrom: ["10.1.2.3"],
    relayServer: { host: `relay.${domain}`, port: 587, tls: "verified", ...login },
  };
}

async function setPassword(stack: TenantStack, password: string): Promise<void> {
  await succeeded(stack.run(["config", "set", "--secret", "test:password", password]));
}

async function table(): Promise<string> {
  const { endpoint, region, table: name } = lab.options;
  const client = new DynamoDBClient({ endpoint, region });
  const { Items } = await client.send(new ScanCommand({ TableName: name }));
  return JSON.stringify(Items);
}

async function parameters() {
  const { endpoint, region } = lab.options;
  const { Parameters = [] } = await new SSMClient({ endpoint, region }).send(
    new DescribeParametersCommand({}),
  );
  return Parameters;
}

/** Names and policies of the domain's parameters. The emulator gives a policy back in quotes of its own. */
async function passwordsOf(domain: string) {
  const all = (await parameters()).filter(({ Name }) => Name?.includes(`/${domain}/`));
  return all.map(({ Name = "", Policies: [policy] = [] }) => ({
    name: Name.replace("/mxhero/example/", ""),
    policy: policy?.PolicyText?.replaceAll("'", '"'),
  }));
}

/** The policy by which SSM deletes a parameter when the route is gone. */
async function goesWithRoute(domain: string): Promise<string> {
  const { record } = await lab.store.readDomain(domain);
  const expires = record?.leaving?.expires ?? "";
  expect(Date.parse(expires)).toBeGreaterThan(Date.now());
  return `{"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": "${expires}"}}`;
}

async function secretName(domain = "secret.test"): Promise<string> {
  const { record } = await lab.store.readDomain(domain);
  return record?.active?.route.relayServer?.login?.secret ?? "";
}

test("a password comes, changes and goes", async () => {
  const stack = await lab.addStack("secret", [entry(true)]);
  await setPassword(stack, FIRST);
  const runs: Run[] = [await succeeded(stack.preview(["--diff"]))];
  runs.push(await succeeded(stack.up()));
  const first = await secretName();
  expect(await lab.store.readSecret(first)).toBe(FIRST);
  expect(await parameters()).toMatchObject([
    { Type: "SecureString", KeyId: lab.options.keyId, Name: `/mxhero/example/${first}` },
  ]);
  expect((await succeeded(stack.up())).text).toContain("unchanged");
  expect(await secretName()).toBe(first);

  await setPassword(stack, SECOND);
  const preview = await succeeded(stack.preview(["--diff"]));
  expect(preview.text).toContain("a new password for the Relay Server");
  runs.push(preview, await succeeded(stack.up()));
  expect(await lab.store.readSecret(await secretName())).toBe(SECOND);
  expect(await lab.store.readSecret(first)).toBeUndefined();

  runs.push(await succeeded(stack.refresh()), await succeeded(stack.run(["stack", "export"])));
  const state = await lab.storedState();
  expect(state).toContain("relay.secret.test");
  const kept = { state, table: await table(), printed: runs.map(({ text }) => text) };
  const lines = JSON.stringify(kept, undefined, 1).split("\n");
  const shown = lines.flatMap((line) => line.split("\\n"));
  expect(shown.filter((line) => line.includes(FIRST) || line.includes(SECOND))).toEqual([]);

  await lab.write(stack, [entry(false)]);
  await succeeded(stack.up());
  expect(await parameters()).toEqual([]);
});

test.each([
  ["another password", true],
  ["no login any more", false],
])(
  "a former password that the store could not delete goes with the next run: %s",
  async (_, stays) => {
    const domain = stays ? "again.test" : "never.test";
    const env = { AWS_ENDPOINT_URL: proxy.url };
    const stack = await lab.addStack(domain, [entry(true, domain)]);
    await setPassword(stack, FIRST);
    await succeeded(stack.up());
    const first = await secretName(domain);
    if (stays) await setPassword(stack, SECOND);
    else await lab.write(stack, [entry(false, domain)]);

    // A new password is written before the route; the former one is the last write.
    const write = stays ? 4 : 3;
    const hit = async () => proxy.cut(true);
    proxy.arm({ write, moment: "before", closes: true, hit });
    await failed(stack.up([], { env }));
    expect(proxy.writes.at(-1)).toBe("DeleteParameters");
    expect(await lab.store.readSecret(first)).toBe(FIRST);
    proxy.arm();
    proxy.cut(false);
    await succeeded(stack.up([], { env }));
    const now = stays ? [{ name: await secretName(domain), policy: undefined }] : [];
    expect(await passwordsOf(domain)).toEqual(now);
    expect((await succeeded(stack.up())).text).toContain("unchanged");
  },
);

test("the password of a route that is given up is there as long as the route, and then deleted by SSM", async () => {
  const stack = await lab.addStack("leaving", [entry(true, "leaving.test")]);
  await setPassword(stack, FIRST);
  await succeeded(stack.up());
  const name = await secretName("leaving.test");
  await succeeded(stack.destroy());
  expect(await secretName("leaving.test")).toBe(name);
  expect(await lab.store.readSecret(name)).toBe(FIRST);
  const [parameter] = (await parameters()).filter(({ Name }) => Name?.endsWith(name));
  expect(parameter?.KeyId).toBe(lab.options.keyId);
  const policy = await goesWithRoute("leaving.test");
  expect(await passwordsOf("leaving.test")).toEqual([{ name, policy }]);
});

test("the password of a way that was stopped goes with the route", async () => {
  const domain = "stopped.test";
  const stack = await lab.addStack("stopped", [entry(true, domain)]);
  await setPassword(stack, FIRST);
  await succeeded(stack.up());
  const name = await secretName(domain);
  await lab.write(stack, [{ domain }]);
  await succeeded(stack.up());
  // Mail that is still queued goes this way.
  expect(await passwordsOf(domain)).toEqual([{ name, policy: undefined }]);
  await succeeded(stack.destroy());
  const policy = await goesWithRoute(domain);
  expect(await passwordsOf(domain)).toEqual([{ name, policy }]);
  expect(await lab.store.readSecret(name)).toBe(FIRST);
});

test("new passwords that are refused go, and that which serves goes with the route", async () => {
  const domain = "refused.test";
  const stack = await lab.addStack("refused", [entry(true, domain)]);
  await setPassword(stack, FIRST);
  await succeeded(stack.up());
  const name = await secretName(domain);
  lab.agents.behave("a", {
    proof: [{ action: "AUTH", outcome: "535 5.7.8 no" }],
    acknowledges: true,
  });
  for (const password of [SECOND, "a third one"]) {
    await setPassword(stack, password);
    await failed(stack.up());
  }
  lab.agents.behave("a", sound);
  const { record } = await lab.store.readDomain(domain);
  const proposed = record?.proposed?.route.relayServer?.login?.secret;
  const names = (await passwordsOf(domain)).map((password) => password.name);
  expect(names.toSorted()).toEqual([name, proposed]);

  await succeeded(stack.destroy());
  const policy = await goesWithRoute(domain);
  expect(await passwordsOf(domain)).toEqual([{ name, policy }]);
  expect(await lab.store.readSecret(name)).toBe(FIRST);
});

test("a destroy is killed once the password expires: a route that stays has one that does not", async () => {
  const domain = "stays.test";
  const stack = await lab.addStack("stays", [entry(true, domain)]);
  await setPassword(stack, FIRST);
  await succeeded(stack.up());
  const former = await secretName(domain);
  const env = { AWS_ENDPOINT_URL: proxy.url };
  const run = stack.start(["destroy", "--yes", "--skip-preview"], { env });
  const kill = async () => {
    for (const pid of await run.providerPids()) process.kill(pid, "SIGKILL");
  };
  // The first write gives the route up, the second has the slot's answer end with it.
  proxy.arm({ write: 3, moment: "after", closes: true, hit: kill });
  expect((await run.result).exitCode).not.toBe(0);
  expect(proxy.writes.at(-1)).toBe("PutParameter");
  proxy.arm();
  const policy = await goesWithRoute(domain);
  expect(await passwordsOf(domain)).toEqual([{ name: former, policy }]);

  await lab.write(stack, [{ ...entry(true, domain), fixIt: "https://support.example.com/" }]);
  await setPassword(stack, FIRST);
  await succeeded(stack.up([], { env }));
  const name = await secretName(domain);
  expect(name).not.toBe(former);
  expect(await lab.store.readSecret(name)).toBe(FIRST);
  expect(await passwordsOf(domain)).toEqual([{ name, policy: undefined }]);
  expect((await lab.store.readDomain(domain)).record).not.toHaveProperty("leaving");
});

test.each(["PutParameter", "GetParameters"])(
  "without the right to %s a destroy warns of the password that stays",
  async (action) => {
    const domain = `${action.toLowerCase()}.test`;
    const stack = await lab.addStack(action, [entry(true, domain)]);
    await setPassword(stack, FIRST);
    await succeeded(stack.up());
    const name = await secretName(domain);
    if (action === "GetParameters") {
      await lab.write(stack, [{ domain }]);
      await succeeded(stack.up());
    }
    proxy.deny([action]);
    const { text } = await succeeded(stack.destroy([], { env: { AWS_ENDPOINT_URL: proxy.url } }));
    const { record } = await lab.store.readDomain(domain);
    expect(text).toContain(`${name} stays in the parameter store`);
    expect(text).toContain("AccessDeniedException");
    expect(text).toContain(`It is needed until ${record?.leaving?.expires}`);
    expect(text).toContain(
      `aws ssm delete-parameter --region ${lab.options.region} --name /mxhero/example/${name}`,
    );
    expect(await passwordsOf(domain)).toEqual([{ name, policy: undefined }]);
  },
);

test("without credentials a preview says what it can, and an update says what is missing", async () => {
  const stack = await lab.addStack("nobody", [{ domain: "nobody.test" }]);
  const env = {
    AWS_ACCESS_KEY_ID: undefined,
    AWS_SECRET_ACCESS_KEY: undefined,
    HOME: lab.project.directory,
  };
  const { text } = await succeeded(stack.preview([], { env }));
  expect(text).toContain("Route of nobody.test not read");
  expect(text).toContain("Planned, but not checked against the gateway: new, Server mail.nobody");
  const up = await failed(stack.up([], { env }));
  expect(up.text).toContain("(aws-credentials-missing");
  expect(up.text).toContain("AWS_PROFILE");
});

test("a table that is not there is named", async () => {
  const { region, secretPrefix } = lab.options;
  const store = { table: "no-such-table", region, secretPrefix };
  const stack = await lab.addStack("no-table", [{ domain: "no-table.test", store }]);
  const { text } = await failed(stack.preview());
  expect(text).toContain("no-such-table in eu-central-1");
  expect(text).toContain("(route-table-missing");
});
