/** Many stacks whose state is in a bucket: S3's API in the lab, the real engine's backend for it. */
import { join } from "node:path";
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { labCredentials, labRegion, type Moto, startMoto } from "../lab/aws/moto.ts";
import { testNet } from "../lab/test-net.ts";
import { emptyFleet, fleet, statuses } from "./fleet-command.ts";
import { mx, startTenantLab, type TenantLab, txt } from "./tenant.ts";

vi.setConfig({ testTimeout: 240_000, hookTimeout: 120_000 });

const Bucket = "example-mail-state";
const domain = "a.test";
const parts = new AsyncDisposableStack();
let lab: TenantLab;
let moto: Moto;
let s3: S3Client;

beforeAll(async () => {
  lab = parts.use(await startTenantLab());
  const { directory } = lab.world;
  moto = parts.use(await startMoto({ address: `${testNet}.5.1`, directory }));
  const client = { endpoint: moto.url, region: labRegion, credentials: labCredentials };
  s3 = parts.adopt(new S3Client({ ...client, forcePathStyle: true }), (each) => each.destroy());
  const CreateBucketConfiguration = { LocationConstraint: labRegion } as const;
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
  await emptyFleet(lab.project);
  await lab.addZone(domain, [mx(domain, 10, `mail.${domain}`), txt(domain, "v=spf1 -all")]);
  await lab.addStackFile("a", { organisation: "a", domains: [{ name: domain }] });
});

afterAll(() => parts.disposeAsync());

/** By key, as it was last written. */
async function stored(): Promise<Record<string, string>> {
  const { Contents = [] } = await s3.send(new ListObjectsV2Command({ Bucket }));
  return Object.fromEntries(
    Contents.map(({ Key = "", ETag, LastModified }) => [
      Key,
      `${ETag} ${LastModified?.toISOString()}`,
    ]),
  );
}

function run(...args: readonly string[]) {
  const { host } = new URL(moto.url);
  const settings = `region=${labRegion}&endpoint=${host}&disableSSL=true&s3ForcePathStyle=true`;
  const backend = { PULUMI_BACKEND_URL: `s3://${Bucket}?${settings}` };
  return fleet(lab.project, args, { env: { ...moto.env, ...backend } });
}

const file = (name: string) => join(lab.world.directory, name);

test("a stack comes up, is looked at, and goes", async () => {
  const up = await run("up");
  expect(up.text).toContain("1 stack: 1 done.");
  expect(up.exitCode).toBe(0);
  expect(Object.keys(await stored())).toContainEqual(
    expect.stringMatching(/^\.pulumi\/stacks\/mail\/a\.json/),
  );

  const before = await stored();
  const preview = await run("preview", "--json", file("preview.json"));
  expect(await statuses(file("preview.json"))).toEqual({ a: "unchanged" });
  expect(preview.exitCode).toBe(0);
  expect((await run("preview", "--leaving")).text).toContain("a.test");
  expect((await run("refresh")).exitCode).toBe(0);
  // What only looks writes nothing there, not even a lock.
  expect(await stored()).toEqual(before);

  const destroy = await run("destroy", "--stack", "a");
  expect(destroy.text).toContain("1 stack: 1 done.");
  expect(Object.keys(await stored()).filter((key) => key.includes("locks/"))).toEqual([]);
});
