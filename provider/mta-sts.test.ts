/** MTA-STS policies, fetched from real HTTPS hosts that only the lab's DNS knows. */
import { once } from "node:events";
import { mkdtempDisposable } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createAuthority } from "../lab/certificates.ts";
import { type LabDns, startDns } from "../lab/dns.ts";
import { type MtaStsHost, startMtaStsHost } from "../lab/mta-sts-host.ts";
import { testNet as net } from "../lab/test-net.ts";
import type { Resolver } from "../mail/dns.ts";
import { createResolver } from "./dns.ts";
import { refuseNotAdmitted } from "./mta-sts.ts";

const parts = new AsyncDisposableStack();
let dns: LabDns;
let host: MtaStsHost;
let oddHost: Server;
let answerOddly: (response: ServerResponse) => void;
let resolver: Resolver;
let asked: string[];

beforeAll(async () => {
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "mta-sts-"))).path;
  dns = parts.use(await startDns({ net, directory }));
  const authority = await createAuthority(directory);
  setDefaultCACertificates([...getCACertificates("default"), authority.cert]);
  host = parts.use(await startMtaStsHost({ address: `${net}.3.1`, authority }));
  const certificate = await authority.issue("mta-sts.odd.test");
  oddHost = createServer(certificate, (_request: IncomingMessage, response) =>
    answerOddly(response),
  );
  oddHost.listen(443, `${net}.3.2`);
  await once(oddHost, "listening");
  const ask = createResolver([dns.resolver]);
  resolver = (name, type) => {
    asked.push(`${name} ${type}`);
    return ask(name, type);
  };
  asked = [];
  await announce("odd.test", `${net}.3.2`);
});

afterAll(async () => {
  oddHost.close();
  oddHost.closeAllConnections();
  await parts.disposeAsync();
});

/** A domain whose policy lies at this address; without one its host has none. */
async function announce(domain: string, address?: string): Promise<void> {
  await dns.addZone(domain);
  const record = { name: `_mta-sts.${domain}`, type: "TXT", ttl: 60 };
  const hostRecord = { name: `mta-sts.${domain}`, type: "A", ttl: 60 };
  await dns.publish(domain, [
    { ...record, records: ['"v=STSv1; id=20260101;"'] },
    { ...hostRecord, records: address === undefined ? [] : [address] },
  ]);
}

const policyOf = (mode: string, ...mx: string[]) =>
  [
    "version: STSv1",
    `mode: ${mode}`,
    ...mx.map((name) => `mx: ${name}`),
    "max_age: 86400",
    "",
  ].join("\r\n");

const gateway = ["smtp-in.gateway.test"];
const check = (domain: string, exchanges = gateway) =>
  refuseNotAdmitted(resolver, domain, exchanges);

test("an enforced policy that does not admit an exchange is refused, with the line to add", async () => {
  await announce("enforce.test", host.address);
  host.policies.set("enforce.test", policyOf("enforce", "mail.enforce.test", "*.backup.test"));
  await expect(
    check("enforce.test", ["smtp-in.gateway.test", "a.backup.test", "mx2.gateway.test"]),
  ).rejects.toMatchObject({
    code: "mta-sts-not-admitted",
    where: "MTA-STS policy of enforce.test",
    value: "smtp-in.gateway.test, mx2.gateway.test",
    problem: expect.stringContaining("it admits mail.enforce.test, *.backup.test"),
    fix: expect.stringMatching(
      /"mx: smtp-in\.gateway\.test", "mx: mx2\.gateway\.test" to https:\/\/mta-sts\.enforce\.test\/.*\(now 20260101\), wait max_age \(86400 s\)/,
    ),
  });
  await expect(check("enforce.test", ["mail.enforce.test"])).resolves.toBeUndefined();
});

test.each([
  ["testing", policyOf("testing", "mail.contoso.test")],
  ["none", policyOf("none")],
  ["enforce, and it admits the gateway by its name", policyOf("enforce", "smtp-in.gateway.test")],
  ["enforce, and it admits the gateway by a pattern", policyOf("enforce", "*.gateway.test")],
])("a policy is no hindrance in mode %s", async (mode, policy) => {
  const domain = `${mode.replace(/\W+/g, "-").toLowerCase()}.test`;
  await announce(domain, host.address);
  host.policies.set(domain, policy);
  await expect(check(domain)).resolves.toBeUndefined();
});

test("where no policy is announced, none is asked for", async () => {
  await dns.addZone("quiet.test");
  asked = [];
  await expect(check("quiet.test")).resolves.toBeUndefined();
  expect(asked).toEqual(["_mta-sts.quiet.test TXT"]);
});

test("all lookups go to the given resolver", async () => {
  asked = [];
  answerOddly = (response) => response.end(policyOf("none"));
  await check("odd.test");
  expect(asked.toSorted()).toEqual([
    "_mta-sts.odd.test TXT",
    "mta-sts.odd.test A",
    "mta-sts.odd.test AAAA",
  ]);
});

test("an announcement that can't be looked up is an error, never no policy", async () => {
  await dns.addZone("broken.test", { signedBroken: true });
  await expect(check("broken.test")).rejects.toMatchObject({ code: "dns-servfail" });
});

test("a policy's host without an address, or without a policy, is refused", async () => {
  await announce("hostless.test");
  await expect(check("hostless.test")).rejects.toMatchObject({
    code: "mta-sts-unreadable",
    problem: expect.stringMatching(/mta-sts\.hostless\.test has no address \(nxdomain\)/),
    value: "https://mta-sts.hostless.test/.well-known/mta-sts.txt",
  });
  await announce("empty.test", host.address);
  await expect(check("empty.test")).rejects.toMatchObject({
    code: "mta-sts-unreadable",
    problem: expect.stringContaining("HTTP 404"),
  });
});

test("a certificate for another name is refused", async () => {
  await announce("stranger.test", `${net}.3.2`);
  await expect(check("stranger.test")).rejects.toMatchObject({
    code: "mta-sts-unreadable",
    problem: expect.stringContaining("mta-sts.stranger.test"),
  });
});

test.each<[string, RegExp, (response: ServerResponse) => void]>([
  [
    "a redirect, which senders do not follow",
    /HTTP 301/,
    (response) => response.writeHead(301, { location: "https://mta-sts.enforce.test/" }).end(),
  ],
  ["HTTP 500", /HTTP 500/, (response) => response.writeHead(500).end(policyOf("none"))],
  [
    "a policy of more than 64 KB",
    /more than 64 KB/,
    (response) => response.end(policyOf("none") + "x: y\n".repeat(14_000)),
  ],
  [
    "a policy without an end",
    /more than 64 KB/,
    (response) => {
      const timer = setInterval(() => response.write("x: y\n".repeat(2_000)), 5);
      response.on("close", () => clearInterval(timer));
    },
  ],
  [
    "a connection that breaks off",
    /aborted|hang up/,
    (response) => {
      response.writeHead(200, { "content-length": "500" });
      response.write(policyOf("none"), () => response.destroy());
    },
  ],
])("%s is refused as unreadable", async (_what, why, respond) => {
  answerOddly = respond;
  await expect(check("odd.test")).rejects.toMatchObject({
    code: "mta-sts-unreadable",
    problem: expect.stringMatching(why),
  });
});

test("a policy that is none is refused, with the domain", async () => {
  answerOddly = (response) => response.end("<html>Welcome</html>");
  await expect(check("odd.test")).rejects.toMatchObject({
    code: "mta-sts-policy",
    where: "MTA-STS policy of odd.test",
  });
});
