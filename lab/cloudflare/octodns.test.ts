/**
 * octoDNS with its Cloudflare provider, a client that Cloudflare did not write, does its work on the
 * emulator unchanged: it reads a zone, plans, and makes the zone what a file says.
 */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, expect, test } from "vitest";
import { stringify } from "yaml";
import { startTestLab, type TestLab } from "./test-lab.ts";

const requirements = new URL("../../tools/octodns/requirements.txt", import.meta.url);
const octodns = installation();
const parts = new AsyncDisposableStack();
let lab: TestLab;
let zone: string;
let directory: string;

beforeAll(async () => {
  if (!existsSync(join(octodns, "bin", "octodns-sync"))) {
    throw new Error(`octoDNS is not installed in ${octodns}. \`npm test\` installs it.`);
  }
  lab = await startTestLab();
  parts.defer(() => lab.dispose());
  zone = await lab.cloudflare.addZone({ name: "contoso.test" });
  directory = parts.use(await mkdtempDisposable(join(tmpdir(), "octodns-"))).path;
  await writeFile(join(directory, "octodns.yaml"), stringify(settings()));
});

afterAll(() => parts.disposeAsync());

/** Where the set-up puts the versions that the requirements name. */
function installation(): string {
  const hash = createHash("sha256").update(readFileSync(requirements)).digest("hex");
  const cache = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(cache, "pulumi-mxhero", "octodns", hash.slice(0, 16));
}

function settings() {
  return {
    providers: {
      file: {
        class: "octodns.provider.yaml.YamlProvider",
        directory: ".",
        enforce_order: false,
      },
      cloudflare: {
        class: "octodns_cloudflare.CloudflareProvider",
        token: lab.operator,
        api_url: lab.cloudflare.url,
        pagerules: false,
        min_ttl: 60,
        records_per_page: 5,
      },
    },
    zones: { "contoso.test.": { sources: ["file"], targets: ["cloudflare"] } },
  };
}

/** Makes the zone what the records say; returns what octoDNS printed. */
async function synchronise(records: object): Promise<string> {
  await writeFile(join(directory, "contoso.test.yaml"), stringify(records));
  const { all } = await execa(
    join(octodns, "bin", "octodns-sync"),
    ["--config-file=octodns.yaml", "--doit", "--force"],
    { cwd: directory, all: true },
  );
  return all;
}

const mx = (exchange: string, preference: number) => ({ exchange: `${exchange}.`, preference });

const records = {
  "": [
    { type: "MX", ttl: 300, values: [mx("mx1.contoso.test", 10), mx("mx2.contoso.test", 20)] },
    { type: "TXT", ttl: 3600, values: ["v=spf1 mx -all", "x".repeat(300)] },
    { type: "CAA", ttl: 300, value: { flags: 0, tag: "issue", value: "ca.example" } },
  ],
  mx1: { type: "A", ttl: 60, values: ["192.0.2.1", "192.0.2.2"] },
  mx2: { type: "AAAA", ttl: 60, value: "2001:db8::1" },
  www: { type: "CNAME", ttl: 60, value: "mx1.contoso.test." },
  "_sip._tcp": {
    type: "SRV",
    ttl: 60,
    value: { priority: 1, weight: 2, port: 5060, target: "mx1.contoso.test." },
  },
};

test("creates, updates and deletes until nothing is left to do", async () => {
  await synchronise(records);
  const server = lab.nameServer(0);
  expect(
    (await server.resolveMx("contoso.test")).map(({ exchange }) => exchange).toSorted(),
  ).toEqual(["mx1.contoso.test", "mx2.contoso.test"]);
  expect(await server.resolveTxt("contoso.test")).toContainEqual(["x".repeat(255), "x".repeat(45)]);
  expect(await server.resolveSrv("_sip._tcp.contoso.test")).toMatchObject([{ port: 5060 }]);
  expect(lab.cloudflare.snapshot(zone)).toHaveLength(10);

  lab.cloudflare.clearLogs();
  expect(await synchronise(records)).toMatch(/No changes were planned/);
  expect(lab.cloudflare.requests.every(({ kind }) => kind === "read")).toBe(true);

  const [, ...others] = records[""];
  const changed = { type: "MX", ttl: 600, values: [mx("smtp-in.gateway.test", 5)] };
  const { www: _, ...rest } = records;
  await synchronise({ ...rest, "": [changed, ...others] });
  expect(await server.resolveMx("contoso.test")).toMatchObject([
    { exchange: "smtp-in.gateway.test", priority: 5 },
  ]);
  expect(lab.cloudflare.snapshot(zone)).toHaveLength(8);
  expect(new Set(lab.cloudflare.requests.map(({ method }) => method))).toEqual(
    new Set(["GET", "PUT", "DELETE"]),
  );
});

test("says what the API refused", async () => {
  const refused = synchronise({ ...records, www: { ...records.www, ttl: 86_401 } });
  await expect(refused).rejects.toThrow(/TTL must be between 60 and 86400 seconds/);
});
