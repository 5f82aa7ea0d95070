/** The reports that are made from previews of the real engine, in all three forms. */
import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { expect, test } from "vitest";
import { buildReport } from "./build-report.ts";
import { phraseOf } from "./count-words.ts";
import { renderComment } from "./markdown.ts";
import type { StackPreview } from "./preview-reader.ts";
import { rendered } from "./rendered.ts";
import { CHANGE_KINDS, type ChangeKind, type StackReport, stackReport } from "./stack-report.ts";
import { renderTerminal } from "./terminal.ts";

const folder = new URL("testdata/", import.meta.url);

function reportOf(name: string): StackReport {
  const preview: StackPreview = JSON.parse(
    readFileSync(new URL(`${name}.preview.json`, folder), "utf8"),
  );
  const [, stack = "woodgrove"] = /^urn:pulumi:(\w+)::/.exec(preview.resources[0]?.urn ?? "") ?? [];
  return buildReport(preview, { stack, kind: name.startsWith("gateway-") ? "gateway" : "tenant" });
}

const names = globSync("*.preview.json", { cwd: folder }).map((file) =>
  basename(file, ".preview.json"),
);

test.each(names)("%s, in all forms", async (name) => {
  const report = reportOf(name);
  expect(stackReport.parse(report)).toEqual(report);
  const { comment, rest } = renderComment([report]);
  expect(rest).toBeUndefined();
  await expect(`${comment}\n`).toMatchFileSnapshot(`testdata/${name}.md`);
  await expect(`${renderTerminal([report])}\n`).toMatchFileSnapshot(`testdata/${name}.txt`);
  await expect(`${JSON.stringify(report, null, 2)}\n`).toMatchFileSnapshot(
    `testdata/${name}.report.json`,
  );
});

/** What must be so whatever the words are. */
const EXPECTED: Readonly<
  Record<string, { change: ChangeKind; risks: readonly string[]; says: RegExp }>
> = {
  onboard: {
    change: "onboard",
    risks: ["spf-budget", "long-ttl", "subdomain-mx"],
    says: /comes onto the gateway/,
  },
  unchanged: { change: "unchanged", risks: [], says: /Nothing changes/ },
  server: {
    change: "server",
    risks: ["former-mx-stale"],
    says: /mail2\.woodgrove\.test instead of/,
  },
  "other-gateway": {
    change: "other-gateway",
    risks: ["spf-budget"],
    says: /moves to another gateway/,
  },
  direction: {
    change: "direction",
    risks: ["sender-refused"],
    says: /no longer passes through the gateway/,
  },
  manual: { change: "onboard", risks: ["no-rcpt-lookup", "dns-by-hand"], says: /by hand/ },
  settings: { change: "unchanged", risks: [], says: /mxhero:cloudflareBaseUrl/ },
  "mail-system": { change: "other", risks: ["server-not-changed"], says: /Settings of/ },
  bypass: { change: "bypass", risks: ["hand-back-on-word"], says: /goes around the gateway/ },
  "end-bypass": {
    change: "end-bypass",
    risks: ["long-ttl", "subdomain-mx"],
    says: /through the gateway again/,
  },
  inactivate: { change: "inactivate", risks: ["mail-refused"], says: /stops serving/ },
  activate: { change: "activate", risks: [], says: /serves .* again/ },
  "relay-server": { change: "other", risks: ["relay-spf"], says: /filter\.mail-host\.test/ },
  password: { change: "other", risks: [], says: /Relay Server's password/ },
  offboard: { change: "offboard", risks: ["hand-back-on-word"], says: /leaves the gateway/ },
  "onboard-two": {
    change: "onboard",
    risks: ["no-rcpt-lookup"],
    says: /steps? in full/i,
  },
  "remove-domain": { change: "unchanged", risks: [], says: /leaves the gateway/ },
  "offboard-two": {
    change: "offboard",
    risks: ["old-connector-locked", "outbound-on-word"],
    says: /2 domains would leave the gateway at once/,
  },
  refused: { change: "unknown", risks: ["mta-sts-first"], says: /not safe/ },
  "not-read": { change: "onboard", risks: ["not-read"], says: /not safe/ },
};

test.each(Object.entries(EXPECTED))(
  "%s: kind, risks and words",
  (name, { change, risks, says }) => {
    const report = reportOf(name);
    const [domain] = report.domains;
    expect(domain?.change).toBe(change);
    const ids = domain?.risks.map(({ id }) => id) ?? [];
    expect(ids.toSorted()).toEqual([...risks].toSorted());
    const { comment } = renderComment([report]);
    expect(
      name === "unchanged" ? comment : rendered(comment).html.replaceAll(/<[^>]*>/g, ""),
    ).toMatch(says);
  },
);

test("every kind of change has a preview of its own", () => {
  const kinds = names.flatMap((name) => reportOf(name).domains.map(({ change }) => change));
  expect([...new Set(kinds)].toSorted()).toEqual([...CHANGE_KINDS].toSorted());
});

test("each of them reads differently, from the first sentences on", () => {
  const texts = names.map((name) => {
    const { summary, domains } = reportOf(name);
    return [summary, ...domains.map((domain) => domain.summary)].join("\n");
  });
  expect(texts.toSorted()).toEqual([...new Set(texts)].toSorted());
});

test("each kind of change reads differently: in its phrase, and in its summary", () => {
  const phrases = CHANGE_KINDS.map(phraseOf);
  expect(new Set(phrases).size).toBe(CHANGE_KINDS.length);
  const byKind = new Map(
    names.flatMap((name) =>
      reportOf(name).domains.map(
        ({ change, summary, displayName }) =>
          [change, summary.replaceAll(displayName, "it")] as const,
      ),
    ),
  );
  expect(byKind.size).toBe(CHANGE_KINDS.length);
  expect(new Set(byKind.values()).size).toBe(CHANGE_KINDS.length);
});

test("a gateway's stack tells what becomes of its hosts", () => {
  const summaries = ["build", "unchanged", "larger", "destroy"].map(
    (name) => reportOf(`gateway-${name}`).summary,
  );
  expect(summaries).toEqual([
    "The gateway is built, with hosts a, b. No domain uses it yet.",
    "Nothing changes at the gateway.",
    expect.stringContaining("It replaces hosts a, b, one after the other"),
    "The gateway is taken down, with hosts a, b.",
  ]);
  expect(reportOf("gateway-larger").risks.map(({ level }) => level)).toEqual(["low"]);
});

test("a fault of the stack's file is told with its place and its fix", () => {
  const { status, faults } = reportOf("broken-file");
  expect(status).toBe("failed");
  expect(faults).toEqual([
    {
      where: expect.stringContaining("mail:domains[0].relayServer.login.passwordName"),
      problem: expect.stringContaining(
        "pulumi config set --secret --path mail:relayPasswords.<name>",
      ),
    },
  ]);
});

test("what could not be read is never called safe", () => {
  const report = reportOf("not-read");
  expect(report.status).toBe("incomplete");
  expect(report.domains[0]?.unread.map(({ problem }) => problem)).toEqual([
    expect.stringContaining("No Cloudflare API token was given"),
    expect.stringContaining("No Cloudflare API token was given"),
  ]);
  const { comment } = renderComment([report]);
  expect(comment).toContain("Do not merge yet");
  expect(comment).not.toMatch(/: (?:low|medium) risk/);
});

test("no preview has kept a secret, and none a debug event", () => {
  for (const name of names) {
    const text = readFileSync(new URL(`${name}.preview.json`, folder), "utf8");
    expect(text).not.toContain("correct-horse");
    expect(text).not.toContain("RegisterResource");
  }
});

test("a new password shows as a secret", () => {
  const { settings } = reportOf("password").domains[0] ?? { settings: [] };
  expect(settings).toEqual([
    { name: "Relay Server's password", before: "[secret]", after: "another [secret]" },
  ]);
});
