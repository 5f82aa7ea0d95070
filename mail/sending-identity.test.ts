import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MailRuleError } from "./errors.ts";
import type { SendingIdentity } from "./route.ts";
import {
  formatSendingIdentity,
  identitiesOverlap,
  identityBlock,
  parseSendingIdentity,
} from "./sending-identity.ts";
import { SHARED_NETWORKS } from "./shared-networks.ts";

function codeOf(text: string, nextHops: "public" | "private" = "public"): string {
  try {
    return formatSendingIdentity(parseSendingIdentity(text, nextHops));
  } catch (error) {
    if (error instanceof MailRuleError) return error.code;
    throw error;
  }
}

test.each([
  ["11.22.33.44", "11.22.33.44/32"],
  [" 11.22.33.44/32 ", "11.22.33.44/32"],
  ["11.22.0.0/16", "11.22.0.0/16"],
  ["2600:1F00:0:0::1", "2600:1f00::1/128"],
  ["2600:1f00::/32", "2600:1f00::/32"],
])("the network %s", (text, network) => {
  expect(parseSendingIdentity(text, "public")).toEqual({ kind: "network", network });
});

describe("refused", () => {
  test.each([
    ["", "identity-malformed"],
    ["mail.contoso.test", "identity-malformed"],
    ["11.22.33", "identity-malformed"],
    ["11.22.33.044", "identity-malformed"],
    ["11.22.33.44/33", "identity-malformed"],
    ["11.22.33.0/255.255.255.0", "identity-malformed"],
    ["fe80::1%eth0", "identity-malformed"],
    ["11.22.33.44/24", "identity-network-host-bits"],
    ["11.22.0.0/15", "identity-network-too-wide"],
    ["0.0.0.0/0", "identity-network-too-wide"],
    ["2600::/31", "identity-network-too-wide"],
    ["10.1.2.3", "identity-network-special"],
    ["127.0.0.1", "identity-network-special"],
    ["100.64.1.1", "identity-network-special"],
    ["169.254.169.254", "identity-network-special"],
    ["224.0.0.5", "identity-network-special"],
    ["192.0.2.7", "identity-network-special"],
    ["fd00::1", "identity-network-special"],
    ["::ffff:11.22.33.44", "identity-network-special"],
    ["40.92.7.8", "identity-network-shared"],
    ["52.103.0.0/16", "identity-network-shared"],
    ["209.85.220.41", "identity-network-shared"],
    ["2001:4860:4864::/48", "identity-network-shared"],
    ["ab".repeat(20), "identity-fingerprint-malformed"],
    ["ab".repeat(33), "identity-fingerprint-malformed"],
  ])("%s: %s", (text, code) => {
    expect(codeOf(text)).toBe(code);
  });

  test("a private gateway has tenants in private networks, and never itself", () => {
    expect(codeOf("10.1.2.0/24", "private")).toBe("10.1.2.0/24");
    expect(codeOf("127.9.0.7", "private")).toBe("127.9.0.7");
    expect(codeOf("127.0.0.1", "private")).toBe("identity-network-special");
    expect(codeOf("127.0.0.0/16", "private")).toBe("identity-network-special");
    expect(codeOf("::1", "private")).toBe("identity-network-special");
    expect(codeOf("224.0.0.5", "private")).toBe("identity-network-special");
  });

  test("a shared network is explained by its service and the missing header", () => {
    expect(() => parseSendingIdentity("40.92.7.8", "public")).toThrow(
      /Microsoft 365.*any of them could send as yours.*header with a secret/,
    );
  });

  test("every shared network is in normal form, for what overlaps it is found by it", () => {
    const networks = SHARED_NETWORKS.flatMap((shared) => shared.networks);
    expect(networks.length).toBeGreaterThan(30);
    const narrow = networks.map((network) =>
      network.replace(/^([^/]*)\/.*/, (_, address: string) => address),
    );
    expect(new Set(narrow.map((address) => codeOf(address)))).toEqual(
      new Set(["identity-network-shared"]),
    );
  });
});

test("a fingerprint has one form, however it was written", () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
      const hex = Buffer.from(bytes).toString("hex");
      const pairs = hex.match(/../g) ?? [];
      const writings = [
        hex,
        hex.toUpperCase(),
        pairs.join(":").toUpperCase(),
        pairs.join(" "),
        `SHA256:${hex}`,
        `sha256 Fingerprint=${pairs.join(":").toUpperCase()}`,
        `SHA-256: ${pairs.join("-")}`,
      ];
      const read = new Set(writings.map((text) => codeOf(text)));
      expect([...read]).toEqual([pairs.join(":")]);
    }),
  );
});

/** Networks that often lie in one another. */
const networks = fc
  .tuple(
    fc.constantFrom(11, 12),
    fc.constantFrom(0, 1, 255),
    fc.nat(7),
    fc.integer({ min: 16, max: 32 }),
  )
  .map(([a, b, d, length]) => {
    const bits = ((a << 24) | (b << 16) | d) >>> 0;
    const first = length === 32 ? bits : (bits >>> (32 - length)) * 2 ** (32 - length);
    const bytes = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256);
    return { first, size: 2 ** (32 - length), text: `${bytes.join(".")}/${length}` };
  });

test("networks overlap where they share an address; then their block is the same", () => {
  fc.assert(
    fc.property(networks, networks, (a, b) => {
      const share = a.first < b.first + b.size && b.first < a.first + a.size;
      const [left, right] = [a, b].map(({ text }) => parseSendingIdentity(text, "public"));
      if (left === undefined || right === undefined) throw new Error("two networks were given");
      expect(identitiesOverlap(left, right)).toBe(share);
      expect(identitiesOverlap(right, left)).toBe(share);
      expect(share && identityBlock(left) !== identityBlock(right)).toBe(false);
    }),
  );
});

test("blocks, and identities of different kinds", () => {
  const certificate: SendingIdentity = {
    kind: "certificate",
    fingerprint: "ab:".repeat(31) + "ab",
  };
  const four: SendingIdentity = { kind: "network", network: "11.22.33.44/32" };
  const six: SendingIdentity = { kind: "network", network: "2600:1f00:1:2::/64" };
  expect([four, six, certificate].map(identityBlock)).toEqual([
    "11.22.0.0/16",
    "2600:1f00::/32",
    certificate.fingerprint,
  ]);
  expect(identitiesOverlap(four, six)).toBe(false);
  expect(identitiesOverlap(four, certificate)).toBe(false);
  expect(identitiesOverlap(certificate, { ...certificate })).toBe(true);
});
