import { spawn } from "node:child_process";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LabDns, LabError, startDns } from "./dns.ts";
import { testNet as net } from "./test-net.ts";

let directory: string;
let dns: LabDns;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "lab-dns-"));
  dns = await startDns({ net, directory });
});

afterAll(async () => {
  await dns[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

function client(address: string, timeout = 2000, tries = 1): Resolver {
  const resolver = new Resolver({ timeout, tries });
  resolver.setServers([address]);
  return resolver;
}

test("a zone is found from the root down, and a change is seen at once", async () => {
  await dns.addZone("contoso.test");
  const resolver = client(dns.resolver);
  for (const preference of [10, 20, 30]) {
    await dns.publish("contoso.test", [
      { name: "contoso.test", type: "MX", ttl: 300, records: [`${preference} mx.contoso.test.`] },
    ]);
    expect(await resolver.resolveMx("contoso.test")).toMatchObject([
      { priority: preference, exchange: "mx.contoso.test" },
    ]);
  }
  expect((await resolver.resolveNs("contoso.test")).toSorted()).toEqual([
    "ns1.dns-host.test",
    "ns2.dns-host.test",
  ]);
  expect(await resolver.resolve4("ns2.dns-host.test")).toEqual([`${net}.0.12`]);
});

test("names under other top-level domains and internationalised names resolve", async () => {
  await dns.addZone("xn--bcher-kva.example");
  await dns.addZone("sub.xn--bcher-kva.example");
  await dns.publish("sub.xn--bcher-kva.example", [
    { name: "sub.xn--bcher-kva.example", type: "TXT", ttl: 60, records: ['"b\\195\\188cher" "2"'] },
  ]);
  const [text] = await client(dns.resolver).resolveTxt("sub.xn--bcher-kva.example");
  expect(text?.map((part) => Buffer.from(part, "latin1").toString())).toEqual(["bücher", "2"]);
});

test("hosts outside the tenants' zones have every address that was given", async () => {
  await dns.host("smtp-in.gateway.test", `${net}.1.1`);
  await dns.host("smtp-in.gateway.test", `${net}.1.2`);
  expect((await client(dns.resolver).resolve4("smtp-in.gateway.test")).toSorted()).toEqual([
    `${net}.1.1`,
    `${net}.1.2`,
  ]);
});

test("a zone with a DS in the parent and no signatures ends in SERVFAIL", async () => {
  await dns.addZone("broken.test", { signedBroken: true });
  await expect(client(dns.resolver).resolveNs("broken.test")).rejects.toMatchObject({
    code: "ESERVFAIL",
  });
  expect(await client(`${net}.0.11`).resolveNs("broken.test")).toHaveLength(2);
});

test("a removed zone does not exist any more", async () => {
  await dns.addZone("gone.test");
  await dns.removeZone("gone.test");
  await expect(client(dns.resolver).resolveNs("gone.test")).rejects.toMatchObject({
    code: "ENOTFOUND",
  });
});

test("an empty non-terminal hides a wildcard", async () => {
  await dns.addZone("wildcard.test");
  const mx = { name: "*.wildcard.test", type: "MX", ttl: 60, records: ["10 mx.wildcard.test."] };
  await dns.publish("wildcard.test", [mx]);
  const resolver = client(dns.resolver);
  expect(await resolver.resolveMx("sub.wildcard.test")).toHaveLength(1);
  const journal = { name: "_mxhero.sub.wildcard.test", type: "TXT", ttl: 60 };
  await dns.publish("wildcard.test", [{ ...journal, records: ['"v=1"'] }]);
  await expect(resolver.resolveMx("sub.wildcard.test")).rejects.toMatchObject({ code: "ENODATA" });
  await dns.publish("wildcard.test", [{ ...journal, records: [] }]);
  expect(await resolver.resolveMx("sub.wildcard.test")).toHaveLength(1);
});

test("a CNAME takes the place of other records in one step", async () => {
  await dns.addZone("alias.test");
  const name = "www.alias.test";
  await dns.publish("alias.test", [{ name, type: "A", ttl: 60, records: ["127.0.0.9"] }]);
  await dns.publish("alias.test", [
    { name, type: "CNAME", ttl: 60, records: ["smtp.alias.test."] },
    { name, type: "A", ttl: 60, records: [] },
  ]);
  expect(await client(dns.resolver).resolveCname(name)).toEqual(["smtp.alias.test"]);
});

test("an RRset is replaced at once: no answer is empty or mixed", async () => {
  await dns.addZone("swap.test");
  const swap = (version: number) =>
    dns.publish("swap.test", [
      {
        name: "swap.test",
        type: "MX",
        ttl: 60,
        records: [`1 a${version}.swap.test.`, `2 b${version}.swap.test.`],
      },
    ]);
  await swap(0);
  const done = new AbortController();
  const answers = new Set<string>();
  const poll = async () => {
    const server = client(`${net}.0.11`);
    while (!done.signal.aborted) {
      const hosts = await server.resolveMx("swap.test");
      const inOrder = hosts.toSorted((a, b) => a.priority - b.priority);
      answers.add(inOrder.map(({ exchange }) => exchange.split(".")[0]).join(" "));
    }
  };
  const polls = Promise.all([poll(), poll()]);
  for (let version = 1; version <= 30; version += 1) await swap(version);
  done.abort();
  await polls;
  const whole = Array.from({ length: 31 }, (_, version) => `a${version} b${version}`);
  expect(whole).toEqual(expect.arrayContaining([...answers]));
  expect(answers.size).toBeGreaterThan(1);
});

test("servers can be given different data", async () => {
  await dns.addZone("differ.test");
  const text = { name: "differ.test", type: "TXT", ttl: 60 };
  await dns.publish("differ.test", [{ ...text, records: ['"both"'] }]);
  await dns.publish("differ.test", [{ ...text, records: ['"second"'] }], { servers: [1] });
  expect(await client(`${net}.0.11`).resolveTxt("differ.test")).toEqual([["both"]]);
  expect(await client(`${net}.0.12`).resolveTxt("differ.test")).toEqual([["second"]]);
});

test("a server that is down does not answer, and is up to date when it is back", async () => {
  await dns.addZone("down.test");
  const text = { name: "down.test", type: "TXT", ttl: 60, records: ['"new"'] };
  await dns.setServerDown(0, true);
  await dns.publish("down.test", [text]);
  const impatient = client(`${net}.0.11`, 200);
  await expect(impatient.resolveTxt("down.test")).rejects.toMatchObject({ code: "ETIMEOUT" });
  expect(await client(dns.resolver, 2000, 3).resolveTxt("down.test")).toEqual([["new"]]);
  await dns.setServerDown(0, false);
  expect(await client(`${net}.0.11`, 2000, 3).resolveTxt("down.test")).toEqual([["new"]]);
});

test("a failure says which program, what it refused, and what it logged", async () => {
  await expect(dns.publish("nowhere.test", [])).rejects.toThrow(/no zone nowhere\.test/);
  await dns.addZone("faulty.test");
  const bad = [{ name: "faulty.test", type: "A", ttl: 60, records: ["not-an-address"] }];
  await expect(dns.publish("faulty.test", bad)).rejects.toThrow(
    /PowerDNS \(ns\d, .*not-an-address/s,
  );
  const again = startDns({ net, directory: await mkdtemp(join(directory, "again-")) });
  await expect(again).rejects.toThrow(LabError);
  await expect(again).rejects.toThrow(/PowerDNS \(root, .*(Unable to bind|in use)/s);
});

test("the programs end when the process that started them is killed", async () => {
  const other = `${net.split(".")[0]}.${Number(net.split(".")[1]) + 50}`;
  const program = `
    import { startDns } from ${JSON.stringify(new URL("./dns.ts", import.meta.url).href)};
    const dns = await startDns({ net: "${other}", directory: process.argv[1] });
    console.log(dns.resolver);
    setInterval(() => {}, 1000);`;
  const own = await mkdtemp(join(directory, "killed-"));
  const child = spawn(process.execPath, ["--input-type=module", "--eval", program, own]);
  const [started] = await once(child.stdout, "data");
  expect(String(started).trim()).toBe(`${other}.0.1`);
  child.kill("SIGKILL");
  await once(child, "exit");
  // Its addresses are free again.
  await using dnsAgain = await startDns({
    net: other,
    directory: await mkdtemp(join(own, "again-")),
  });
  expect(dnsAgain.resolver).toBe(`${other}.0.1`);
});
