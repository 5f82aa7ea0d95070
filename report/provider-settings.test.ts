/** A change of what the providers are told is seen, be it all that a stack's file changes. */
import { expect, test } from "vitest";
import { providerSettings } from "../config/provider-settings.ts";
import { buildReport } from "./build-report.ts";
import { renderComment } from "./markdown.ts";
import { PreviewReader } from "./preview-reader.ts";
import { renderTerminal } from "./terminal.ts";

type Config = Readonly<Record<string, string>>;

const URN = "urn:pulumi:contoso::mail::pulumi:pulumi:Stack::mail-contoso";
const STACK = { urn: URN, type: "pulumi:pulumi:Stack" };
const file = "stacks/Pulumi.contoso.yaml";
const TENANT: Config = { "mail:organisation": "contoso" };

function outputsOf(values: Config | undefined) {
  if (values === undefined) return null;
  return {
    inputs: {},
    outputs: {
      organisation: "x",
      providerSettings: providerSettings({ file, values, isSecret: () => false }),
    },
  };
}

function reportOf(events: readonly unknown[], exitCode = 0) {
  const reader = new PreviewReader();
  for (const event of events) reader.see(event);
  const outcome = { exitCode, text: "" };
  return buildReport(reader.end(outcome), { stack: "contoso", kind: "tenant" });
}

/** Of a preview of which the stack's last event is all. */
function stackReport(before: Config | undefined, after: Config | undefined, exitCode = 0) {
  const op = before === undefined ? "create" : after === undefined ? "delete" : "same";
  const metadata = { ...STACK, op, old: outputsOf(before), new: outputsOf(after) };
  return reportOf([{ resOutputsEvent: { metadata } }], exitCode);
}

const ELSEWHERE: Config = { ...TENANT, "mxhero:cloudflareBaseUrl": "https://api.example.com/" };

test("an endpoint that is added is a high risk, told by its key", () => {
  const report = stackReport(TENANT, ELSEWHERE);
  expect(report.status).toBe("changed");
  expect(report.risks).toEqual([
    expect.objectContaining({
      id: "provider-settings",
      level: "high",
      text: expect.stringContaining("mxhero:cloudflareBaseUrl"),
    }),
  ]);
  expect(report.technical).toEqual(["~ settings of the providers: mxhero:cloudflareBaseUrl"]);
  for (const text of [renderComment([report]).comment, renderTerminal([report])]) {
    expect(text).toContain("provider-settings");
    expect(text).toContain("mxhero:cloudflareBaseUrl");
    expect(text).not.toContain("Nothing changes in");
  }
});

test.each([
  ["is changed", ELSEWHERE, { ...ELSEWHERE, "mxhero:cloudflareBaseUrl": "https://other.example/" }],
  ["goes", ELSEWHERE, TENANT],
  ["comes with a new stack", undefined, ELSEWHERE],
  [
    "is another provider's",
    TENANT,
    { ...TENANT, "cloudflare:baseUrl": "https://api.example.com/" },
  ],
  [
    "is a token as plain text",
    { ...TENANT, "mxhero:apiToken": "a" },
    { ...TENANT, "mxhero:apiToken": "b" },
  ],
])("a setting that %s is a high risk, too", (_, before, after) => {
  const { risks, status } = stackReport(before, after);
  expect(status).toBe("changed");
  expect(risks.map(({ id, level }) => `${level} ${id}`)).toEqual(["high provider-settings"]);
});

test("how fast a run goes is a low risk", () => {
  const { risks } = stackReport(TENANT, { ...TENANT, "mxhero:waitSeconds": "60" });
  expect(risks.map(({ id, level }) => `${level} ${id}`)).toEqual(["low provider-settings"]);
});

test("what stays, what a new stack has anyway, and what goes with its stack is no risk", () => {
  expect(stackReport(ELSEWHERE, ELSEWHERE)).toMatchObject({ status: "unchanged", risks: [] });
  expect(stackReport(ELSEWHERE, { ...ELSEWHERE, "mail:domains": "[]" })).toMatchObject({
    status: "unchanged",
    risks: [],
  });
  const own = { ...TENANT, "mxhero:apiToken": "a", "aws:region": "eu-central-1" };
  expect(stackReport(undefined, own).risks).toEqual([]);
  expect(stackReport(ELSEWHERE, undefined).risks).toEqual([]);
});

test("a program that failed has told no settings: they do not count as gone", () => {
  expect(stackReport(ELSEWHERE, TENANT, 255).risks).toEqual([]);
});

test("what was reviewed is not done with other settings", () => {
  expect(digestWith("https://a.test/")).not.toBe(digestWith("https://b.test/"));
  expect(digestWith("https://a.test/")).toBe(digestWith("https://a.test/"));
});

function digestWith(base: string): string {
  return stackReport(TENANT, { ...TENANT, "mxhero:cloudflareBaseUrl": base }).changeDigest;
}

test("no value of a setting is an output, and of a secret not even a hash", () => {
  const values = { "mxhero:apiToken": "correct-horse-battery-staple" };
  const plain = providerSettings({ file, values, isSecret: () => false });
  expect(JSON.stringify(plain)).not.toContain("correct-horse");
  expect(providerSettings({ file, values, isSecret: () => true })).toEqual({
    "mxhero:apiToken": "secret",
  });
});

test.each(["mxhero:cloudflareBaseUrl", "mxhero:resolvers", "aws:endpoints", "cloudflare:baseUrl"])(
  "%s says where credentials go, and may be no secret",
  (key) => {
    const values = { "mxhero:apiToken": "a", [key]: "https://api.example.com/" };
    expect(() => providerSettings({ file, values, isSecret: () => true })).toThrow(
      `${file}: config ${key}: A secret stands there`,
    );
    expect(() => providerSettings({ file, values, isSecret: () => true })).not.toThrow(
      /api.example/,
    );
  },
);

/** Such as the program makes itself; what the engine makes has no event. */
function providerEvent(old: object, next: object, op = "update") {
  const urn = "urn:pulumi:contoso::mail::pulumi:providers:mxhero::own";
  const type = "pulumi:providers:mxhero";
  const metadata = { op, urn, type, old: { inputs: old }, new: { inputs: next } };
  return { resOutputsEvent: { metadata } };
}

test("a provider of the program that changes is told, with the properties that differ", () => {
  const { risks, technical } = reportOf([
    providerEvent(
      { version: "1" },
      { version: "1", cloudflareBaseUrl: "https://api.example.com/" },
    ),
  ]);
  expect(risks).toEqual([
    expect.objectContaining({
      id: "provider-settings",
      level: "high",
      text: expect.stringContaining("provider mxhero (cloudflareBaseUrl)"),
    }),
  ]);
  expect(technical).toEqual(["~ pulumi:providers:mxhero own: cloudflareBaseUrl"]);
});

test("another version of a provider is told, and is no risk by itself", () => {
  const { risks, technical } = reportOf([providerEvent({ version: "1" }, { version: "2" })]);
  expect(risks).toEqual([]);
  expect(technical).toEqual(["~ pulumi:providers:mxhero own: version"]);
});
