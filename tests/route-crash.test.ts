/** kill -9 of the provider at every write of a route's create, update and delete: the next run goes on. */
import { type ParameterMetadata, paginateDescribeParameters, SSMClient } from "@aws-sdk/client-ssm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testNet } from "../lab/test-net.ts";
import type { RouteRecord } from "../mail/route.ts";
import { type RouteEntry, type RouteLab, startRouteLab } from "./route-lab.ts";
import { succeeded, type TenantStack } from "./tenant.ts";
import { type Moment, startWriteProxy, type WriteProxy } from "./write-proxy.ts";

let lab: RouteLab;
let proxy: WriteProxy;

beforeAll(async () => {
  lab = await startRouteLab(["a", "b"]);
  proxy = await startWriteProxy(`${testNet}.5.2`, lab.moto.url);
}, 120_000);

afterAll(async () => {
  await proxy[Symbol.asyncDispose]();
  await lab[Symbol.asyncDispose]();
});

const MOMENTS: readonly Moment[] = ["unwritten", "unanswered"];
const WRITES = {
  up: ["PutParameter", "TransactWriteItems", "TransactWriteItems"],
  change: ["PutParameter", "TransactWriteItems", "TransactWriteItems", "DeleteParameters"],
  destroy: ["TransactWriteItems", "PutParameter"],
};
type Step = keyof typeof WRITES;
const points = (["up", "change", "destroy"] as const).flatMap((step) =>
  WRITES[step].flatMap((action, index) =>
    MOMENTS.map((moment) => ({ step, action, write: index + 1, moment })),
  ),
);

test.each(points)(
  "$step, killed at write $write ($action), $moment",
  { timeout: 300_000 },
  async ({ step, write, moment }) => {
    const name = `crash-${step}-${write}-${moment}`;
    const domain = `${name}.test`;
    const stack = await lab.addStack(name, [entry(domain, "first password")]);
    for (const before of stepsBefore(step)) await run(stack, before, domain);

    await strike(stack, step, domain, { write, moment });
    proxy.arm();
    await succeeded(run(stack, step, domain));

    if (step !== "destroy") await expectServing(domain, step, write);
    await succeeded(run(stack, "destroy", domain));
    expect((await lab.store.readDomain(domain)).record?.leaving).toBeDefined();
  },
);

test("destroy, killed once the password expires: a route that stays has one that does not", {
  timeout: 300_000,
}, async () => {
  const domain = "crash-stays.test";
  const stack = await lab.addStack("crash-stays", [entry(domain, "first password")]);
  await run(stack, "up", domain);
  const former = secretOf((await lab.store.readDomain(domain)).record);
  await strike(stack, "destroy", domain, { write: 2, moment: "unanswered" });
  proxy.arm();
  expect(await passwordsOf(domain)).toMatchObject([{ Policies: [expect.anything()] }]);

  const fixIt = "https://support.example.com/";
  await lab.write(stack, [{ ...entry(domain, "first password"), fixIt }]);
  await succeeded(stack.up([], { env: { AWS_ENDPOINT_URL: proxy.url } }));

  const { record } = await lab.store.readDomain(domain);
  expect(record).not.toHaveProperty("leaving");
  expect(secretOf(record)).not.toBe(former);
  expect(await lab.store.readSecret(secretOf(record))).toBe("first password");
  const [password, ...others] = await passwordsOf(domain);
  expect(password?.Name).toBe(`${lab.options.secretPrefix}/${secretOf(record)}`);
  expect(password?.Policies ?? []).toEqual([]);
  expect(others).toEqual([]);
});

async function passwordsOf(domain: string) {
  const { endpoint, region } = lab.options;
  const client = new SSMClient({ endpoint, region });
  const found: ParameterMetadata[] = [];
  for await (const { Parameters = [] } of paginateDescribeParameters({ client }, {})) {
    found.push(...Parameters);
  }
  return found.filter(({ Name }) => Name?.includes(`/${domain}/`));
}

async function expectServing(domain: string, step: "up" | "change", write: number): Promise<void> {
  const { record } = await lab.store.readDomain(domain);
  const password = step === "up" ? "first password" : "second password";
  expect(record).not.toHaveProperty("proposed");
  expect(record?.holder.claims).toHaveLength(1);
  expect(await lab.store.readSecret(secretOf(record))).toBe(password);
  // A password whose writer was killed before it was named is known to nobody.
  const left = (await passwordsOf(domain)).length;
  expect(left).toBeLessThanOrEqual(write < 3 ? 2 : 1);
}

function stepsBefore(step: Step): Step[] {
  return step === "up" ? [] : step === "change" ? ["up"] : ["up", "change"];
}

function entry(domain: string, password: string): RouteEntry {
  const login = { user: "contoso", password };
  const relayServer = { host: `relay.${domain}`, port: 587, tls: "verified", login };
  return {
    domain,
    nextHops: "private",
    outbound: "standard",
    sendingFrom: ["10.1.2.3"],
    relayServer,
  };
}

async function run(stack: TenantStack, step: Step, domain: string) {
  const options = { env: { AWS_ENDPOINT_URL: proxy.url } };
  if (step === "destroy") return stack.destroy([], options);
  const password = step === "up" ? "first password" : "second password";
  await lab.write(stack, [entry(domain, password)]);
  return stack.up([], options);
}

/** Runs the step and kills the provider at the point. @throws if the run never came there */
async function strike(
  stack: TenantStack,
  step: Step,
  domain: string,
  at: { readonly write: number; readonly moment: Moment },
): Promise<void> {
  if (step === "change") await lab.write(stack, [entry(domain, "second password")]);
  const { promise: struck, resolve } = Promise.withResolvers<boolean>();
  const command = step === "destroy" ? "destroy" : "up";
  proxy.arm();
  const running = stack.start([command, "--yes", "--skip-preview"], {
    env: { AWS_ENDPOINT_URL: proxy.url },
  });
  proxy.arm({
    ...at,
    strike: async () => {
      for (const pid of await running.providerPids()) process.kill(pid, "SIGKILL");
      resolve(true);
    },
  });
  const ended = running.result.then(() => false);
  expect(await Promise.race([struck, ended])).toBe(true);
  const { exitCode } = await running.result;
  expect(exitCode).not.toBe(0);
}

function secretOf(record: RouteRecord | undefined): string {
  return record?.active?.route.relayServer?.login?.secret ?? "";
}
