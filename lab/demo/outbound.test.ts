import { expect, test } from "vitest";
import { faultsOfSending } from "./outbound.ts";

const relayServers = new Map([["a.test", "filter.test"]]);

test("mail of a domain goes to its Relay Server, or else to the recipient's MX", () => {
  const sendings = [
    {
      domain: "a.test",
      path: ["mail.a.test", "smtp-relay.gateway.test", "filter.test"],
      reply: "250",
    },
    {
      domain: "b.test",
      path: ["mail.b.test", "smtp-relay.gateway.test", "mx.sender.test"],
      reply: "250",
    },
  ];
  expect(faultsOfSending(sendings, relayServers)).toEqual([]);
});

test("another way is a fault, and so is mail that does not arrive", () => {
  const sendings = [
    { domain: "a.test", path: ["mail.a.test", "mx.sender.test"], reply: "250" },
    { domain: "b.test", path: [], reply: "550 5.7.1 no" },
  ];
  expect(faultsOfSending(sendings, relayServers)).toEqual([
    "Mail of a.test arrived at mx.sender.test, not at filter.test.",
    "Mail of b.test did not arrive: 550 5.7.1 no.",
  ]);
});
