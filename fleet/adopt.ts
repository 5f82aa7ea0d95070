/** Writes the stack files of domains that already run through the gateway, or will. Reads DNS and the route store. */
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parse, stringify } from "yaml";
import { z } from "zod";
import { readOutputs } from "../commands/stack.ts";
import type { Gateway } from "../config/gateway-hosts.ts";
import { isRecord } from "../config/schema-faults.ts";
import { readStackFile } from "../config/stack-file.ts";
import { readGateway } from "../config/tenant-gateway.ts";
import type { Resolver } from "../mail/dns.ts";
import { parseTenantDomain } from "../mail/domain-name.ts";
import { MailRuleError } from "../mail/errors.ts";
import { journalName, parseJournal } from "../mail/journal.ts";
import type { RouteRecord } from "../mail/route.ts";
import { createResolver, findApex, unanswered } from "../provider/dns.ts";
import { withRouteStore } from "../provider/open-route-store.ts";
import { readSettings } from "../provider/settings.ts";
import { type AdoptRow, parseAdoptTable, type TableRow } from "./adopt-csv.ts";
import {
  type AdoptEvidence,
  type AdoptedDomain,
  adoptDomain,
  routeEvidence,
} from "./adopt-domain.ts";
import { findStackFiles } from "./stack-files.ts";

export interface Adopted {
  /** The files that were written. */
  readonly files: readonly string[];
  readonly faults: readonly MailRuleError[];
}

export interface AdoptOptions {
  readonly project: string;
  /** The table's file. */
  readonly table: string;
  /** The stack whose gateway they are at. @default the one that all organisations' stacks have */
  readonly like?: string | undefined;
}

const schema = fileURLToPath(new URL("../config/tenant.schema.json", import.meta.url));

/** An organisation with a faulty row gets no file; the others do. @throws MailRuleError `adopt-gateway` */
export async function adopt({ project, table, like }: AdoptOptions): Promise<Adopted> {
  const { rows, faults: tableFaults } = parseAdoptTable(table, await readFile(table, "utf8"));
  const raw = await gatewayOf(project, like);
  const gateway = await readGateway(raw, readOutputs);
  if (gateway.faults.length > 0)
    throw gatewayUnknown(gateway.faults.map((fault) => fault.problem).join(" "));
  const known = gateway.parse();
  const resolver = createResolver(readSettings({}).resolvers);
  const faults = [...tableFaults];
  const files: string[] = [];
  for (const [organisation, own] of Map.groupBy(rows, (row) => row.organisation)) {
    const file = `stacks/Pulumi.${organisation}.yaml`;
    const { entries, faults: rowFaults } = await adoptRows(own, table, known, resolver);
    const text = fileText(project, organisation, raw, entries);
    const found =
      rowFaults.length > 0 ? rowFaults : await writeSound(join(project, file), file, text);
    if (found.length === 0) files.push(file);
    faults.push(...found);
  }
  return { files, faults };
}

async function adoptRows(
  rows: readonly TableRow[],
  table: string,
  gateway: Gateway,
  resolver: Resolver,
): Promise<{ entries: AdoptedDomain[]; faults: MailRuleError[] }> {
  const entries: AdoptedDomain[] = [];
  const faults: MailRuleError[] = [];
  for (const row of rows) {
    try {
      entries.push(await adoptRow(row, gateway, resolver));
    } catch (error) {
      faults.push(asRowFault(error, `${table}: line ${row.line}`));
    }
  }
  return { entries, faults };
}

async function adoptRow(
  row: AdoptRow,
  gateway: Gateway,
  resolver: Resolver,
): Promise<AdoptedDomain> {
  const domain = parseTenantDomain(row.domain);
  return adoptDomain(row, await observe(domain, gateway, resolver), gateway);
}

/** @throws MailRuleError `domain-not-delegated`, `dns-servfail`, `dns-timeout`, `journal-damaged` */
async function observe(
  domain: string,
  { routeStore }: Gateway,
  resolver: Resolver,
): Promise<AdoptEvidence> {
  const apex = await findApex(resolver, domain);
  const answered = async <T extends "MX" | "TXT">(name: string, type: T) => {
    const { status, records } = await resolver(name, type);
    if (status === "servfail" || status === "timeout") throw unanswered(name, type, status);
    return records;
  };
  const [mx, texts, journal] = await Promise.all([
    answered(domain, "MX"),
    answered(domain, "TXT"),
    answered(journalName(domain, apex), "TXT"),
  ]);
  const record = routeStore && (await routeOf(domain, routeStore));
  return {
    domain,
    mx,
    texts,
    journal: parseJournal(journal.map((text, index) => ({ id: `${index}`, text }))),
    ...(record && routeEvidence(record)),
  };
}

async function routeOf(
  domain: string,
  { table, region, secretPrefix }: NonNullable<Gateway["routeStore"]>,
): Promise<RouteRecord | undefined> {
  const store = { table, region, secretPrefix };
  return (await withRouteStore(store, (opened) => opened.readDomain(domain))).record;
}

const stackConfig = z.object({ config: z.object({ "mail:gateway": z.unknown() }) });

/** As the stack files have it. @throws MailRuleError `adopt-gateway` */
async function gatewayOf(project: string, like: string | undefined): Promise<unknown> {
  const files = (await findStackFiles(project)).filter(({ kind }) => kind === "tenant");
  const chosen = like === undefined ? files : files.filter(({ stack }) => stack === like);
  const gateways = await Promise.all(
    chosen.map(async ({ file }) => {
      const read = stackConfig.safeParse(parse(await readFile(join(project, file), "utf8")));
      return read.data?.config["mail:gateway"];
    }),
  );
  const [first] = gateways;
  const isOne = new Set(gateways.map((gateway) => JSON.stringify(gateway))).size === 1;
  if (isRecord(first) && isOne) return first;
  const none = "No organisation's stack file says at which gateway they are.";
  throw gatewayUnknown(gateways.length === 0 ? none : "The stack files name several gateways.");
}

function gatewayUnknown(problem: string): MailRuleError {
  return new MailRuleError({
    code: "adopt-gateway",
    where: "--like",
    problem,
    fix: "Write one organisation's stack file by hand, with its mail:gateway, and name it: --like <stack>.",
  });
}

function fileText(
  project: string,
  organisation: string,
  gateway: unknown,
  domains: readonly AdoptedDomain[],
): string {
  const config = {
    "mail:organisation": organisation,
    "mail:gateway": gateway,
    "mail:domains": domains,
  };
  const place = relative(join(project, "stacks"), schema);
  return `# yaml-language-server: $schema=${place}\n${stringify({ config })}`;
}

/** @returns why it is not written */
async function writeSound(
  path: string,
  file: string,
  text: string,
): Promise<readonly MailRuleError[]> {
  const { faults } = await readStackFile(file, text);
  return faults.length > 0 ? faults : writeNew(path, file, text);
}

/** Never over a file that is there. */
async function writeNew(path: string, file: string, text: string): Promise<MailRuleError[]> {
  try {
    await writeFile(path, text, { flag: "wx" });
    return [];
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
    const problem = `The file is there already, in ${dirname(path)}.`;
    const fix =
      "Write the domain into it by hand, or take the organisation's rows out of the table.";
    return [new MailRuleError({ code: "adopt-file-exists", where: file, problem, fix })];
  }
}

function asRowFault(error: unknown, where: string): MailRuleError {
  if (!(error instanceof MailRuleError)) throw error;
  const { code, problem, fix, value } = error;
  const place = error.where === undefined ? where : `${where}, ${error.where}`;
  return new MailRuleError({
    code,
    where: place,
    problem,
    fix,
    ...(value !== undefined && { value }),
    cause: error,
  });
}
