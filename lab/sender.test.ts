import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type CertificateAuthority, createAuthority } from "./certificates.ts";
import { type LabDns, startDns } from "./dns.ts";
import { type MailSystem, startMailSystem } from "./mail-system.ts";
import { type MtaStsHost, startMtaStsHost } from "./mta-sts-host.ts";
import { createSender, type Sender } from "./sender.ts";
import { testNet as net } from "./test-net.ts";

const domain = "contoso.test";
const to = `bob@${domain}`;
const parts = new AsyncDisposableStack();
let authority: CertificateAuthority;
let dns: LabDns;
let policyHost: MtaStsHost;
/** Their addresses end in 1 and 2. */
let first: MailSystem;
let second: MailSystem;
let sender: Sender;

beforeAll(async () => {
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "lab-"))).path;
  authority = await createAuthority(directory);
  dns = parts.use(await startDns({ net, directory }));
  policyHost = parts.use(await startMtaStsHost({ address: `${net}.3.1`, authority }));
});

afterAll(() => parts.disposeAsync());

/** A fresh zone, two empty mail systems that no MX names yet, and a sender without kept policies. */
beforeEach(async () => {
  const fresh = new AsyncDisposableStack();
  await dns.addZone(domain);
  first = fresh.use(await mailSystem("mx1"));
  second = fresh.use(await mailSystem("mx2"));
  policyHost.policies.clear();
  sender = newSender(authority.cert);
  return async () => {
    await fresh.disposeAsync();
    await dns.removeZone(domain);
  };
});

function newSender(ca?: string): Sender {
  const options = { name: "mx.sender.test", address: `${net}.4.1`, resolver: dns.resolver };
  return createSender(ca === undefined ? options : { ...options, ca });
}

async function mailSystem(label: "mx1" | "mx2"): Promise<MailSystem> {
  const name = `${label}.${domain}`;
  const address = `${net}.2.${label.slice(2)}`;
  await publish(name, "A", address);
  const certificate = await authority.issue(name);
  return startMailSystem({ name, address, certificate, domains: [domain] });
}

function publish(name: string, type: string, ...records: string[]): Promise<void> {
  return dns.publish(domain, [{ name, type, ttl: 60, records }]);
}

/** Announces and serves a policy. */
async function publishPolicy(id: string, ...lines: string[]): Promise<void> {
  policyHost.policies.set(domain, ["version: STSv1", ...lines, ""].join("\n"));
  await publish(`_mta-sts.${domain}`, "TXT", `"v=STSv1; id=${id};"`);
  await publish(`mta-sts.${domain}`, "A", policyHost.address);
}

test("the host with the lowest preference gets the message", async () => {
  await publish(domain, "MX", "20 mx1.contoso.test.", "10 mx2.contoso.test.");
  const report = await sender.send({ to, from: "alice@sender.test", id: "m-1" });
  expect(report).toMatchObject({
    id: "m-1",
    outcome: "delivered",
    attempts: [{ host: "mx2.contoso.test", address: second.address, outcome: "delivered" }],
  });
  expect(second.messages).toMatchObject([
    { id: "m-1", sender: "alice@sender.test", recipients: [to], clientAddress: sender.address },
  ]);
});

test("a host that is down, has no address or refuses for now is passed over", async () => {
  await publish("down.contoso.test", "A", `${net}.2.99`);
  await publish(
    domain,
    "MX",
    "1 down.contoso.test.",
    "2 nowhere.contoso.test.",
    "3 mx1.contoso.test.",
    "4 mx2.contoso.test.",
  );
  first.refuse("recipient", "450 4.2.0 Greylisted");
  const { outcome, attempts } = await sender.send({ to });
  expect(outcome).toBe("delivered");
  expect(attempts.map(({ host }) => host)).toEqual([
    "down.contoso.test",
    "nowhere.contoso.test",
    "mx1.contoso.test",
    "mx2.contoso.test",
  ]);
});

test("a permanent refusal ends the attempts", async () => {
  await publish(domain, "MX", "10 mx1.contoso.test.", "20 mx2.contoso.test.");
  first.refuse("recipient", "550 5.1.1 No such user");
  const report = await sender.send({ to });
  expect(report).toMatchObject({ outcome: "bounced", reason: "550 5.1.1 No such user" });
  expect(report.attempts).toHaveLength(1);
});

test("if every host fails for now, the message is deferred", async () => {
  await publish(domain, "MX", "10 mx1.contoso.test.", "20 mx2.contoso.test.");
  first.refuse("mail", "421 4.3.2 Try later");
  second.refuse("mail", "451 4.3.0 Try later");
  const report = await sender.send({ to });
  expect(report).toMatchObject({ outcome: "deferred", reason: "451 4.3.0 Try later" });
});

test("without MX records the domain's own address counts", async () => {
  await publish(domain, "A", first.address);
  const report = await sender.send({ to });
  expect(report).toMatchObject({ outcome: "delivered", attempts: [{ host: domain }] });
});

test("a null MX and a domain that does not exist bounce; a zone that fails defers", async () => {
  await publish(domain, "MX", "0 .");
  expect(await sender.send({ to })).toMatchObject({ outcome: "bounced", attempts: [] });
  expect(await sender.send({ to: "bob@nowhere.test" })).toMatchObject({ outcome: "bounced" });
  await dns.addZone("broken.test", { signedBroken: true });
  expect(await sender.send({ to: "bob@broken.test" })).toMatchObject({ outcome: "deferred" });
});

test("an enforced MTA-STS policy keeps mail from hosts that it does not admit", async () => {
  await publish(domain, "MX", "10 mx1.contoso.test.", "20 mx2.contoso.test.");
  await publishPolicy("1", "mode: enforce", "mx: mx2.contoso.test", "max_age: 86400");
  expect((await newSender().send({ to })).attempts).toHaveLength(1);
  const report = await sender.send({ to });
  expect(report).toMatchObject({
    outcome: "delivered",
    attempts: [{ host: "mx1.contoso.test", outcome: "temporary" }, { host: "mx2.contoso.test" }],
  });
  expect(second.messages[0]?.content).toContain("with ESMTPS");
});

test("a policy is kept until its id changes, even if it can no longer be found", async () => {
  await publish(domain, "MX", "10 mx1.contoso.test.");
  await publishPolicy("1", "mode: enforce", "mx: mx2.contoso.test", "max_age: 86400");
  expect((await sender.send({ to })).outcome).toBe("deferred");
  await publish(`_mta-sts.${domain}`, "TXT");
  expect((await sender.send({ to })).outcome).toBe("deferred");
  expect((await newSender(authority.cert).send({ to })).outcome).toBe("delivered");
  await publishPolicy("2", "mode: enforce", "mx: *.contoso.test", "max_age: 86400");
  expect((await sender.send({ to })).outcome).toBe("delivered");
});

test("under an enforced policy the host must show a valid certificate", async () => {
  await publish("mail.contoso.test", "A", first.address);
  await publish(domain, "MX", "10 mail.contoso.test.");
  await publishPolicy("1", "mode: enforce", "mx: mail.contoso.test", "max_age: 86400");
  const report = await sender.send({ to });
  expect(report.outcome).toBe("deferred");
  expect(report.reason).toMatch(/altnames|certificate/i);
});

test("a policy in testing mode, or without a trusted certificate, stops nothing", async () => {
  await publish(domain, "MX", "10 mx1.contoso.test.");
  await publishPolicy("1", "mode: testing", "mx: mx2.contoso.test", "max_age: 86400");
  expect((await sender.send({ to })).outcome).toBe("delivered");
  await publishPolicy("2", "mode: enforce", "mx: mx2.contoso.test", "max_age: 86400");
  await using directory = await mkdtempDisposable(join(tmpdir(), "lab-"));
  const stranger = newSender((await createAuthority(directory.path)).cert);
  expect((await stranger.send({ to })).outcome).toBe("delivered");
});
