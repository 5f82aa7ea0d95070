import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type Certificate,
  type CertificateAuthority,
  type CertificateOptions,
  createAuthority,
} from "../lab/certificates.ts";
import { exampleGateway, exampleNames } from "./example-gateway.ts";
import { stackValues } from "./example-tenant.ts";
import { readGatewayConfig } from "./read-gateway.ts";
import { ConfigurationError } from "./stack-configuration.ts";

const FILE = "stacks/Pulumi.gateway.yaml";
const [host, ...otherNames] = exampleNames;
const parts = new AsyncDisposableStack();
let authority: CertificateAuthority;
let sound: Readonly<Record<string, unknown>>;

beforeAll(async () => {
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "gateway-"))).path;
  authority = await createAuthority(directory);
  sound = { ...exampleGateway, ...keysOf(await issue()) };
});

afterAll(() => parts.disposeAsync());

function issue(options: CertificateOptions = { otherNames }): Promise<Certificate> {
  return authority.issue(host, options);
}

function keysOf({ cert, key }: Certificate) {
  return { "gateway:certificate": cert, "gateway:privateKey": key };
}

interface Given {
  /** `undefined` leaves a key out. */
  readonly changes?: Readonly<Record<string, unknown>>;
  readonly secrets?: readonly string[];
  readonly now?: Date;
}

function read({ changes = {}, secrets = ["gateway:privateKey"], now }: Given = {}) {
  const given = Object.entries({ ...sound, ...changes }).filter(([, value]) => value !== undefined);
  return readGatewayConfig(
    {
      file: FILE,
      values: stackValues(Object.fromEntries(given)),
      isSecret: (key) => secrets.includes(key),
      outputsOf: () => Promise.reject(new Error("a gateway needs no other stack")),
    },
    now,
  );
}

/** Code and place of every fault. */
function faultsOf(given: Given): string[] {
  try {
    read(given);
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return error.faults.map(
      ({ code, where = "" }) => `${code} ${where.replace(/^.* config /, "")}`,
    );
  }
  return [];
}

test("a sound file gets the defaults", () => {
  const { slots, instanceType, architecture, ttlSeconds, deletionProtection, region } = read();
  expect({ slots, instanceType, architecture, ttlSeconds, deletionProtection, region }).toEqual({
    slots: ["a", "b"],
    instanceType: "t4g.small",
    architecture: "arm64",
    ttlSeconds: 60,
    deletionProtection: true,
    region: "eu-central-1",
  });
});

test.each([
  ["an unknown key", { "gateway:slot": 2 }, ["key-unknown gateway:slot"]],
  ["no region", { "aws:region": undefined }, ["value-missing aws:region"]],
  ["a region that is none", { "aws:region": "Frankfurt" }, ["value-malformed aws:region"]],
  ["one slot", { "gateway:slots": 1 }, ["value-out-of-range gateway:slots"]],
  ["a slot twice", { "gateway:slots": ["a", "a"] }, ["slot-twice gateway:slots[1]"]],
  [
    "more slots than the pool",
    { "gateway:pool": 4, "gateway:slots": 3 },
    ["slots-exceed-pool gateway:pool"],
  ],
  [
    "a slot far behind in the pool",
    { "gateway:pool": 4, "gateway:slots": ["a", "c"] },
    ["slots-exceed-pool gateway:pool"],
  ],
  ["an odd pool", { "gateway:pool": 5 }, ["pool-is-odd gateway:pool"]],
  [
    "an instance of the other architecture",
    { "gateway:instanceType": "m7i.large" },
    ["instance-type-of-other-architecture gateway:instanceType"],
  ],
  [
    "an architecture that the default type has not",
    { "gateway:architecture": "x64" },
    ["instance-type-of-other-architecture gateway:instanceType"],
  ],
  [
    "an image of the other architecture",
    { "gateway:image": { owner: "136693071363", name: "debian-12-amd64-20260210-2384" } },
    ["image-of-other-architecture gateway:image.name"],
  ],
  [
    "a domain outside the zone",
    { "gateway:domain": "notgateway.test" },
    ["domain-name-outside-zone gateway:domain", "certificate-without-name gateway:certificate"],
  ],
  [
    "a host outside the zone",
    { "gateway:hosts": { smtp: "smtp.example.com" } },
    ["domain-name-outside-zone gateway:hosts.smtp", "certificate-without-name gateway:certificate"],
  ],
  [
    "two endpoints of one name",
    { "gateway:hosts": { smtpRelay: "smtp-in.gateway.test" } },
    ["endpoint-name-twice gateway:hosts.smtpRelay"],
  ],
  [
    "an address for help that is none",
    { "gateway:fixIt": "our web site" },
    ["fix-it-malformed gateway:fixIt"],
  ],
  [
    "a public network",
    { "gateway:network": { cidr: "8.8.0.0/16", availabilityZones: ["eu-central-1a"] } },
    ["network-unusable gateway:network.cidr"],
  ],
  [
    "a network too small",
    { "gateway:network": { cidr: "10.0.0.0/25", availabilityZones: ["eu-central-1a"] } },
    ["network-unusable gateway:network.cidr"],
  ],
  [
    "host bits",
    { "gateway:network": { cidr: "10.0.1.0/16", availabilityZones: ["eu-central-1a"] } },
    ["network-unusable gateway:network.cidr"],
  ],
  [
    "no network at all",
    { "gateway:network": { cidr: "10.0.0.300/16", availabilityZones: ["eu-central-1a"] } },
    ["network-unusable gateway:network.cidr"],
  ],
  [
    "zones of another region, and twice",
    { "gateway:network": { cidr: "10.0.0.0/16", availabilityZones: ["us-east-1a", "us-east-1a"] } },
    [
      "availability-zone-of-other-region gateway:network.availabilityZones[0]",
      "availability-zone-twice gateway:network.availabilityZones[1]",
      "availability-zone-of-other-region gateway:network.availabilityZones[1]",
    ],
  ],
  [
    "a topic of another region",
    { "gateway:alarms": { topic: "arn:aws:sns:us-east-1:123456789012:x" } },
    ["topic-of-other-region gateway:alarms.topic"],
  ],
  [
    "a processor on another host",
    { "gateway:processor": { host: "processor.example.com", port: 10_025 } },
    ["host-not-loopback gateway:processor.host"],
  ],
  [
    "a processor at another address",
    { "gateway:processor": { host: "10.20.0.9", port: 10_025 } },
    ["host-not-loopback gateway:processor.host"],
  ],
  [
    "no certificate",
    { "gateway:certificate": "none" },
    ["certificate-unreadable gateway:certificate"],
  ],
  ["no key", { "gateway:privateKey": "none" }, ["private-key-unreadable gateway:privateKey"]],
])("%s is refused", (_, changes, faults) => {
  expect(faultsOf({ changes })).toEqual(faults);
});

test("a key in clear is refused, and not shown", () => {
  const key = String(sound["gateway:privateKey"]);
  expect(() => read({ secrets: [] })).toThrow(/privateKey.*stored in clear/);
  expect(() => read({ secrets: [] })).not.toThrow(key.split("\n")[1] ?? "");
});

test("what is shown to the world cannot be a secret", () => {
  const secrets = ["gateway:privateKey", "gateway:domain"];
  expect(faultsOf({ secrets })).toContain("value-is-secret gateway:domain");
});

test("a certificate may be stored as a secret", () => {
  expect(faultsOf({ secrets: ["gateway:privateKey", "gateway:certificate"] })).toEqual([]);
});

test("the key of another certificate is refused, and not shown", async () => {
  const { key } = await issue();
  const changes = { "gateway:privateKey": key };
  expect(faultsOf({ changes })).toEqual(["private-key-not-matching gateway:privateKey"]);
  expect(() => read({ changes })).not.toThrow(key.split("\n")[1] ?? "");
});

test("a certificate that has expired is refused", async () => {
  const changes = keysOf(await issue({ otherNames, expired: true }));
  expect(faultsOf({ changes })).toEqual(["certificate-expired gateway:certificate"]);
});

test("a certificate of tomorrow is refused", () => {
  const now = new Date(Date.now() - 400 * 86_400_000);
  expect(faultsOf({ now })).toEqual(["certificate-not-yet-valid gateway:certificate"]);
});

test("a certificate without the alias is refused, with the name", async () => {
  const changes = keysOf(await issue({ otherNames: [exampleNames[1]] }));
  expect(faultsOf({ changes })).toEqual(["certificate-without-name gateway:certificate"]);
  expect(() => read({ changes })).toThrow("It is not valid for smtp.gateway.test, but");
});

test("a wildcard covers all endpoints", async () => {
  const wildcard = await authority.issue("*.gateway.test");
  expect(faultsOf({ changes: keysOf(wildcard) })).toEqual([]);
});

test("a chain of more bytes than a parameter takes is refused", async () => {
  const { cert, key } = await issue();
  const chain = Array.from({ length: 20 }, () => cert).join("\n");
  const changes = { "gateway:certificate": chain, "gateway:privateKey": key };
  expect(faultsOf({ changes })).toEqual(["certificate-too-large gateway:certificate"]);
});

test("all faults are told at once", () => {
  const changes = {
    "aws:region": undefined,
    "gateway:name": "Example",
    "gateway:pool": 5,
    "gateway:alarms": {},
    "gateway:certificate": "none",
  };
  expect(faultsOf({ changes }).map((fault) => fault.split(" ")[1])).toEqual([
    "gateway:name",
    "gateway:alarms.email",
    "aws:region",
    "gateway:pool",
    "gateway:certificate",
  ]);
});
