/** All cases of the test suite of RFC 7208 that Debian's package python3-spf carries. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { parseAllDocuments } from "yaml";
import { z } from "zod";
import type { Resolver } from "../dns.ts";
import { checkHost, type SpfOutcome } from "./index.ts";
import { type ZoneName, zoneResolver } from "./testdata/zone.ts";

const suitePath = "/usr/share/doc/python3-spf/rfc7208-tests.yml.gz";

const text = z.union([z.string(), z.array(z.string())]);
const entry = z.union([
  z.literal("TIMEOUT"),
  z.strictObject({ SPF: text }),
  z.strictObject({ TXT: text }),
  z.strictObject({ A: z.string() }),
  z.strictObject({ AAAA: z.string() }),
  z.strictObject({ CNAME: z.string() }),
  z.strictObject({ PTR: z.string() }),
  z.strictObject({ MX: z.tuple([z.number(), z.string()]) }),
]);
type Entry = z.infer<typeof entry>;

const testCase = z.object({
  helo: z.string(),
  host: z.string(),
  mailfrom: z.string(),
  result: text,
  explanation: z.string().optional(),
});
type Case = z.infer<typeof testCase>;

const scenario = z.object({
  description: z.string(),
  tests: z.record(z.string(), testCase),
  zonedata: z.record(z.string(), z.array(entry)),
});

/**
 * The suite's rules: TXT records are duplicated from SPF ones unless the name has TXT entries, of
 * which `NONE` stands for no record; TIMEOUT is the answer for every type the name does not have.
 */
function toZoneName(entries: readonly Entry[]): ZoneName {
  const records = entries.filter((item) => item !== "TIMEOUT");
  const texts = records.flatMap((item) => ("TXT" in item ? [join(item.TXT)] : []));
  const duplicated = records.flatMap((item) => ("SPF" in item ? [join(item.SPF)] : []));
  return {
    TXT: texts.length > 0 ? texts.filter((txt) => txt !== "NONE") : duplicated,
    A: records.flatMap((item) => ("A" in item ? [item.A] : [])),
    AAAA: records.flatMap((item) => ("AAAA" in item ? [item.AAAA] : [])),
    CNAME: records.flatMap((item) => ("CNAME" in item ? [toName(item.CNAME)] : [])),
    PTR: records.flatMap((item) => ("PTR" in item ? [toName(item.PTR)] : [])),
    MX: records.flatMap((item) =>
      "MX" in item ? [{ preference: item.MX[0], exchange: toName(item.MX[1]) }] : [],
    ),
    ...(entries.includes("TIMEOUT") ? { failure: "timeout" } : {}),
  };
}

const join = (strings: string | string[]) => [strings].flat().join("");
const toName = (name: string) => name.toLowerCase().replace(/\.$/, "");

const source = gunzipSync(readFileSync(suitePath)).toString("utf8");
const scenarios = parseAllDocuments(source).map((document) => scenario.parse(document.toJS()));

const cases = scenarios.flatMap(({ description, tests, zonedata }) => {
  const names = Object.entries(zonedata);
  const resolver = zoneResolver(
    Object.fromEntries(names.map(([name, entries]) => [toName(name), toZoneName(entries)])),
  );
  return Object.entries(tests).map(([id, given]) => ({
    title: `${description}: ${id}`,
    given,
    check: () => check(given, resolver),
  }));
});

/** The suite leaves MAIL FROM empty where the HELO identity is to be checked. */
function check({ host: ip, helo, mailfrom }: Case, resolver: Resolver): Promise<SpfOutcome> {
  const sender = mailfrom === "" ? `postmaster@${helo}` : mailfrom;
  const domain = sender.slice(sender.lastIndexOf("@") + 1);
  return checkHost({ ip, domain, sender, helo, resolver });
}

let casesRun = 0;

test.each(cases)("$title", async ({ given, check: run }) => {
  const { result, problem } = await run();
  expect([given.result].flat()).toContain(result);
  expect(problem !== undefined).toBe(/^(?:temp|perm)error$/.test(result));
  casesRun += 1;
});

const explained = cases.filter(({ given }) => given.explanation !== undefined);

test.each(explained)("$title: explanation", async ({ given, check: run }) => {
  const { explanation = "DEFAULT" } = await run();
  expect(explanation).toBe(given.explanation);
});

test("every one of the 203 cases ran", () => {
  expect(casesRun).toBe(203);
});
