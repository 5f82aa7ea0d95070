import { expect, test } from "vitest";
import { mxTakeoverInputs } from "./mx-takeover-schema.ts";
import { hintAtServer } from "./public-conditions.ts";
import type { Call } from "./resource.ts";

function hintsFor(server: string, exchange: string): string[] {
  const said: string[] = [];
  const call: Call = {
    urn: "urn:pulumi:test::mail::mxhero:index:MxTakeover::contoso",
    preview: true,
    signal: new AbortController().signal,
    settings: {
      apiTokens: new Map(),
      waitSeconds: 1,
      cloudflareShare: 1,
      abandonedQueues: [],
      uncoveredSlots: [],
      outboundStopped: [],
      handBackConfirmed: [],
      inboundGivenUp: [],
      gatewayConfirmed: [],
    },
    info: (message) => said.push(message),
    warn: (message) => said.push(message),
    progress: () => undefined,
  };
  const inputs = mxTakeoverInputs.parse({
    organisation: "contoso",
    domain: "contoso.com",
    mx: [{ preference: 10, exchange: "smtp-in.gateway.test" }],
    server,
  });
  const present = [{ id: "1", preference: 0, exchange, ttl: 3600 }];
  hintAtServer({ domain: "contoso.com", present }, inputs, call);
  return said;
}

test("a Server that is not the mail system's own host is pointed out", () => {
  // Google Workspace's present set-up guide has the one host smtp.google.com.
  expect(hintsFor("aspmx.l.google.com", "smtp.google.com")).toEqual([
    expect.stringContaining("which recommends smtp.google.com"),
  ]);
});

test.each([
  ["contoso-com.mail.protection.outlook.com", "contoso-com.mail.protection.outlook.com"],
  ["mail.contoso.com", "mx.contoso.com"],
  ["mail.contoso.com", "smtp-in.gateway.test"],
])("nothing is said of Server %s with the MX %s", (server, exchange) => {
  expect(hintsFor(server, exchange)).toEqual([]);
});
