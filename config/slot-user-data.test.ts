import * as fc from "fast-check";
import { expect, test } from "vitest";
import { exampleConfig } from "./example-gateway.ts";
import { planGateway } from "./gateway-plan.ts";
import { slotUserData, userDataFaults } from "./slot-user-data.ts";

const facts = {
  inbound: "10.20.0.10",
  relay: "10.20.0.11",
  publicInbound: "198.51.100.1",
  publicRelay: "198.51.100.2",
  volumeId: "vol-0123456789abcdef0",
  bucket: "mxhero-gateway-example-1a2b3c",
  bundleKey: "0123.tar.gz",
  bundle: "0".repeat(64),
  certificate: "00:".repeat(32),
  expires: "2027-01-01T00:00:00.000Z",
};

const withHost = (length: number) => ({
  ...exampleConfig,
  hosts: { smtpIn: `${"a".repeat(length)}.gateway.test` },
});

test("names that DNS can hold fit", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 253 }), (length) => {
      expect(userDataFaults(planGateway(withHost(length)))).toEqual([]);
    }),
  );
});

test("whatever EC2 does not take is refused", () => {
  const tooLong = fc.integer({ min: 1, max: 20_000 }).filter((length) => {
    const script = slotUserData(planGateway(withHost(length)), "a", facts);
    return Buffer.byteLength(script) > 16_384;
  });
  fc.assert(
    fc.property(tooLong, (length) => {
      const faults = userDataFaults(planGateway(withHost(length)));
      expect(faults).toMatchObject([{ code: "user-data-too-large" }]);
    }),
  );
});

test("what a slot is told holds neither the key nor the certificate", () => {
  const plan = planGateway({ ...exampleConfig, privateKey: "KEY-TEXT", certificate: "CHAIN-TEXT" });
  expect(slotUserData(plan, "a", facts)).not.toMatch(/KEY-TEXT|CHAIN-TEXT/);
});

test("what a slot is told does not depend on the other slots", () => {
  const two = planGateway({ ...exampleConfig, slots: ["a", "b"] });
  const three = planGateway({ ...exampleConfig, slots: ["a", "b", "c"] });
  expect(slotUserData(three, "a", facts)).toBe(slotUserData(two, "a", facts));
});
