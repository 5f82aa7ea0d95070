import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as logs from "@aws-sdk/client-cloudwatch-logs";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { labCredentials, labRegion, type Moto, startMoto } from "../lab/aws/moto.ts";
import { testNet as net } from "../lab/test-net.ts";
import { StoreError } from "./errors.ts";
import { LogStream } from "./log-stream.ts";

vi.setConfig({ hookTimeout: 90_000 });

const parts = new AsyncDisposableStack();
const group = "/mxhero/example";
let moto: Moto;
let api: logs.CloudWatchLogsClient;

beforeAll(async () => {
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "logs-"))).path;
  moto = parts.use(await startMoto({ address: `${net}.5.1`, directory }));
  for (const [name, value] of Object.entries(moto.env)) vi.stubEnv(name, value);
  api = new logs.CloudWatchLogsClient({
    endpoint: moto.url,
    region: labRegion,
    credentials: labCredentials,
  });
  await api.send(new logs.CreateLogGroupCommand({ logGroupName: group }));
});

afterAll(async () => {
  await parts.disposeAsync();
  vi.unstubAllEnvs();
});

test("a host's lines come one after the other, also after its restart", async () => {
  const at = new Date();
  {
    using log = new LogStream({ group, stream: "a" });
    await log.put(at, "first");
    await log.put(at, "second");
  }
  using again = new LogStream({ group, stream: "a" });
  await again.put(at, "third");
  const { events = [] } = await api.send(
    new logs.GetLogEventsCommand({ logGroupName: group, logStreamName: "a", startFromHead: true }),
  );
  expect(events.map(({ message }) => message)).toEqual(["first", "second", "third"]);
});

test("a group that is not there is an error of the store", async () => {
  using log = new LogStream({ group: "/mxhero/other", stream: "a" });
  await expect(log.put(new Date(), "lost")).rejects.toThrow(StoreError);
});
