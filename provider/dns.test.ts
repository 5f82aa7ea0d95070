/** Lookups against real name servers and a validating resolver. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LabDns, type RrSet, startDns } from "../lab/dns.ts";
import { testNet as net } from "../lab/test-net.ts";
import type { DnsType, DnsValue, Resolver } from "../mail/dns.ts";
import { createResolver, findApex, findNameServers } from "./dns.ts";

const parts = new AsyncDisposableStack();
let dns: LabDns;
let resolve: Resolver;

const rrset = (name: string, type: string, ...records: string[]): RrSet => ({
  name,
  type,
  ttl: 60,
  records,
});

beforeAll(async () => {
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "dns-"))).path;
  dns = parts.use(await startDns({ net, directory }));
  resolve = createResolver([dns.resolver]);
  await dns.addZone("contoso.test");
  await dns.addZone("sub.contoso.test");
  await dns.addZone("broken.test", { signedBroken: true });
  await dns.addZone("fabrikam.test");
  await dns.publish("contoso.test", [
    rrset("contoso.test", "MX", "20 B.Mail.Contoso.test.", "10 a.mail.contoso.test."),
    rrset("contoso.test", "TXT", '"v=spf1 " "-all"', String.raw`"b\195\188cher \"x\" \\"`),
    rrset("null.contoso.test", "MX", "0 ."),
    rrset("a.b.contoso.test", "A", "192.0.2.1"),
    rrset("alias.contoso.test", "CNAME", "fabrikam.test."),
    rrset("dangling.contoso.test", "CNAME", "nowhere.fabrikam.test."),
  ]);
  await dns.publish("fabrikam.test", [
    rrset("fabrikam.test", "AAAA", "2001:db8::1"),
    rrset("fabrikam.test", "MX", "10 mail.fabrikam.test."),
  ]);
});

afterAll(() => parts.disposeAsync());

test("MX records are plain names, and the null MX is an empty one", async () => {
  const { status, records } = await resolve("contoso.test", "MX");
  expect(status).toBe("ok");
  expect(records.toSorted((a, b) => a.preference - b.preference)).toEqual([
    { preference: 10, exchange: "a.mail.contoso.test" },
    { preference: 20, exchange: "b.mail.contoso.test" },
  ]);
  expect(await resolve("null.contoso.test", "MX")).toEqual({
    status: "ok",
    records: [{ preference: 0, exchange: "" }],
  });
});

test("the strings of a TXT record are joined, one UTF-16 unit a byte", async () => {
  const { records } = await resolve("contoso.test", "TXT");
  expect(records.toSorted()).toEqual(['b\u00c3\u00bccher "x" \\', "v=spf1 -all"]);
});

test("a TXT answer too large for a datagram is read whole", async () => {
  const texts = Array.from({ length: 40 }, (_, index) => `${index} ${"x".repeat(240)}`);
  const quoted = texts.map((text) => `"${text}"`);
  await dns.publish("contoso.test", [rrset("large.contoso.test", "TXT", ...quoted)]);
  const { records } = await resolve("large.contoso.test", "TXT");
  expect(records.toSorted()).toEqual(texts.toSorted());
});

test.each<[string, DnsType, string]>([
  ["nowhere.contoso.test", "MX", "nxdomain"],
  ["b.contoso.test", "MX", "nodata"],
  ["a.b.contoso.test", "TXT", "nodata"],
  ["a.b.contoso.test", "A", "ok"],
  ["fabrikam.test", "A", "nodata"],
  ["fabrikam.test", "AAAA", "ok"],
  ["alias.contoso.test", "MX", "ok"],
  ["alias.contoso.test", "TXT", "nodata"],
  ["alias.contoso.test", "CNAME", "ok"],
  ["dangling.contoso.test", "MX", "nxdomain"],
  ["contoso.test", "CNAME", "nodata"],
  ["broken.test", "MX", "servfail"],
  ["unregistered.test", "MX", "nxdomain"],
])("%s %s is %s", async (name, type, status) => {
  const answer = await resolve(name, type);
  expect(answer.status).toBe(status);
  expect(answer.records).toHaveLength(status === "ok" ? 1 : 0);
});

test("a server that refuses has no answer: servfail; one that is not there: timeout", async () => {
  const [server] = dns.nameServers;
  const authoritative = createResolver([server?.address ?? ""]);
  expect(await authoritative("example.com", "MX")).toEqual({ status: "servfail", records: [] });
  const nobody = createResolver([`${net}.0.99`]);
  expect(await nobody("contoso.test", "MX")).toEqual({ status: "timeout", records: [] });
});

test("a server that is silent for a while is waited for, however fast it was before", async () => {
  const { address, port } = await startFlaky();
  const ask = createResolver([`${address}:${port}`]);
  for (const name of ["a.test", "b.test", "c.test", "d.test"]) {
    expect(await ask(name, "A")).toEqual({ status: "ok", records: ["192.0.2.1"] });
  }
  expect(await ask("silent.test", "A")).toEqual({ status: "ok", records: ["192.0.2.1"] });
});

/** Answers every question at once, and does not hear the ones for `silent.test` until 1.5 s after the first. */
async function startFlaky() {
  const socket = createSocket("udp4");
  parts.defer(() => void socket.close());
  let heardFrom: number | undefined;
  socket.on("message", (query, client) => {
    heardFrom ??= query.includes("silent") ? Date.now() + 1_500 : undefined;
    if (heardFrom !== undefined && Date.now() < heardFrom) return;
    const question = query.subarray(12, query.indexOf(0, 12) + 5);
    // RFC 1035 section 4.1: a response with one question and one answer, whose name is the question's.
    const header = [...query.subarray(0, 2), 0x81, 0x80, 0, 1, 0, 1, 0, 0, 0, 0];
    const answer = [0xc0, 0x0c, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 192, 0, 2, 1];
    socket.send(Buffer.from([...header, ...question, ...answer]), client.port, client.address);
  });
  socket.bind(0, `${net}.9.9`);
  await once(socket, "listening");
  return socket.address();
}

test("a server that is down is a timeout, and the errors say so", async () => {
  await dns.setServerDown(1, true);
  try {
    const down = createResolver([dns.nameServers[1]?.address ?? ""]);
    await expect(findApex(down, "contoso.test")).rejects.toMatchObject({
      code: "dns-timeout",
      where: "DNS NS contoso.test",
    });
  } finally {
    await dns.setServerDown(1, false);
  }
});

test.each([
  ["contoso.test", "contoso.test"],
  ["sub.contoso.test", "sub.contoso.test"],
  ["a.b.sub.contoso.test", "sub.contoso.test"],
  ["b.contoso.test", "contoso.test"],
  ["nowhere.contoso.test", "contoso.test"],
  ["below.a.b.contoso.test", "contoso.test"],
  ["alias.contoso.test", "contoso.test"],
])("the apex above %s is %s", async (domain, apex) => {
  expect(await findApex(resolve, domain)).toBe(apex);
});

test.each([
  ["unregistered.test", "domain-not-delegated"],
  ["mail.unregistered.test", "domain-not-delegated"],
  ["broken.test", "dns-servfail"],
  ["sub.broken.test", "dns-servfail"],
])("there is no apex above %s: %s", async (domain, code) => {
  await expect(findApex(resolve, domain)).rejects.toMatchObject({ code });
});

test("every address of every delegated name server", async () => {
  const expected = [
    { name: "ns1.dns-host.test", address: `${net}.0.11` },
    { name: "ns2.dns-host.test", address: `${net}.0.12` },
  ];
  const found = await findNameServers(resolve, "sub.contoso.test");
  expect(found.toSorted((a, b) => a.name.localeCompare(b.name))).toEqual(expected);
  await expect(findNameServers(resolve, "broken.test")).rejects.toMatchObject({
    code: "dns-servfail",
  });
});

type Zone = { readonly [T in DnsType]?: Readonly<Record<string, readonly DnsValue[T][]>> };

/** Answers from `zone`; "nodata" for all else, and "servfail" for `failing`. */
function scripted(zone: Zone, failing = ""): Resolver {
  return async (name, type) => {
    if (failing === `${name} ${type}`) return { status: "servfail", records: [] };
    const records = zone[type]?.[name] ?? [];
    return { status: records.length > 0 ? "ok" : "nodata", records };
  };
}

const NS = { "example.com": ["ns1.example.net", "ns2.example.net"] };

test("IPv6 addresses count only where a name server has no IPv4 address", async () => {
  const A = { "ns1.example.net": ["192.0.2.1", "192.0.2.2"] };
  const AAAA = { "ns1.example.net": ["2001:db8::1"], "ns2.example.net": ["2001:db8::2"] };
  expect(await findNameServers(scripted({ NS, A, AAAA }), "example.com")).toEqual([
    { name: "ns1.example.net", address: "192.0.2.1" },
    { name: "ns1.example.net", address: "192.0.2.2" },
    { name: "ns2.example.net", address: "2001:db8::2" },
  ]);
});

test("a name server whose address can't be found is named, and not left out", async () => {
  const A = { "ns1.example.net": ["192.0.2.1"] };
  const AAAA = { "ns2.example.net": ["2001:db8::2"] };
  const unknown = findNameServers(scripted({ NS, A, AAAA }, "ns2.example.net A"), "example.com");
  await expect(unknown).rejects.toMatchObject({
    code: "dns-servfail",
    where: "DNS A ns2.example.net",
  });
  await expect(findNameServers(scripted({ NS, A }), "example.com")).rejects.toMatchObject({
    where: "DNS AAAA ns2.example.net",
  });
});
