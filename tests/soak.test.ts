/**
 * The short soak: three tenants go onto the gateway and off it again under mail in both directions, with the
 * real engine, real Postfix, and senders of bad habits. Every message is accounted for by its id.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { queueOf } from "../lab/hosts/fleet-world.ts";
import { type Account, faultsOf } from "../lab/soak/ledger.ts";
import { figures, findings, table } from "../lab/soak/report.ts";
import { runSoak } from "../lab/soak/run-soak.ts";
import { type SoakWorld, startSoakWorld } from "../lab/soak/soak-world.ts";
import { exampleTenants, Tenant } from "../lab/soak/tenant.ts";
import { startTraffic } from "../lab/soak/traffic.ts";
import { testNet as net } from "../lab/test-net.ts";

let world: SoakWorld;
let tenants: Tenant[];

beforeAll(async () => {
  world = await startSoakWorld(net);
  tenants = await Promise.all(exampleTenants.map((spec) => Tenant.create(spec, world)));
}, 240_000);

afterAll(() => world?.[Symbol.asyncDispose]());

/** How many copies came by each path. */
function copiesBy({ messages }: Account, path: "direct" | "gateway"): number {
  return messages.flatMap(({ copies }) => copies).filter((copy) => copy.path === path).length;
}

test("through onboarding, change and offboarding of three tenants no message is lost", async () => {
  const result = await runSoak(world, tenants, {
    cycles: 1,
    intervalMilliseconds: 100,
    restMilliseconds: 3000,
    onProgress: (line) => console.log(line),
  });
  console.log([table(result), ...findings(result)].join("\n"));
  const { account } = result;
  expect(faultsOf(account)).toEqual([]);
  const { delivered, "unknown-user": unknownUser } = account.places;
  expect(delivered + unknownUser).toBe(account.sent);
  expect(unknownUser).toBeGreaterThan(10);
  expect(account.sent).toBeGreaterThan(300);
  expect(copiesBy(account, "direct")).toBeGreaterThan(50);
  expect(copiesBy(account, "gateway")).toBeGreaterThan(50);
  expect(figures(result)).toMatchObject({ faults: [], account: { sent: account.sent } });
}, 400_000);

async function inboundQueue(): Promise<number> {
  const queues = world.fleet.fleet.slots.map((slot) => queueOf(slot, "postfix-in"));
  return (await Promise.all(queues)).flat().length;
}

/** What became of the mail of the tenant alone that was sent while this was so. */
async function accountWhile(
  name: string,
  tenant: Tenant,
  during: () => Promise<void>,
): Promise<Account> {
  const traffic = startTraffic(world, [tenant], 100, name);
  await during();
  await sleep(2000);
  await traffic.stop();
  return world.book.account(await world.flushQueues());
}

/** What takes mail out of the gateway's queues, or its route: faults that the account has to show. */
test("the account shows what is lost and what is refused", async () => {
  const [tenant] = tenants.slice(-1);
  if (tenant === undefined) throw new Error("There is no tenant");
  const [{ system }] = tenant.systems;
  expect((await tenant.run("up")).exitCode).toBe(0);
  const { fleet } = world.fleet;

  system.refuse("data", "451 4.3.2 Try later");
  const lost = await accountWhile("emptied", tenant, async () => {
    await sleep(2000);
    await expect.poll(inboundQueue).toBeGreaterThan(0);
    for (const { host } of fleet.slots)
      await host.run(["postsuper", "-c", "/etc/postfix-in", "-d", "ALL"]);
    system.refuse("data", undefined);
  });
  expect(lost.places.lost).toBeGreaterThan(0);
  expect(faultsOf(lost)).toContainEqual(expect.stringMatching(/^\d+ lost: in-tailspin-/));

  const { record } = await fleet.store.readDomain(tenant.domain);
  if (record?.active === undefined) throw new Error("There is no route");
  const past = new Date(Date.now() - 1000).toISOString();
  const leaving = { since: past, deferFrom: past, refuseFrom: past, expires: past };
  await fleet.write({
    domain: tenant.domain,
    holder: { ...record.holder, claims: [] },
    active: record.active,
    leaving,
  });
  const refused = await accountWhile("dropped", tenant, () => sleep(2000));
  expect(refused.places.refused).toBeGreaterThan(0);
  expect(faultsOf(refused)).toContainEqual(
    expect.stringMatching(/^\d+ refused: in-tailspin-.*5\.7\.1/),
  );
}, 120_000);
