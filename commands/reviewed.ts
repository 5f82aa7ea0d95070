/**
 * `npm run reviewed`: what was reviewed of what was merged, and which stacks are to be done, gateways and tenants.
 *
 * It prints lines as GitHub takes them for outputs: `pull-requests=12`, `gateways=["gateway"]`,
 * `tenants=["contoso"]`. It changes nothing. Ends with 0, with 1 where something was not reviewed or too many domains
 * would leave the gateway over all stacks, and with 2 where that could not be found out.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Command } from "commander";
import { touchedStacks } from "../fleet/changed-stacks.ts";
import { boundFaults } from "../fleet/guard.ts";
import { stackOfFile } from "../fleet/stack-files.ts";
import { followersOf, followersText } from "../github/followers.ts";
import { changesOf, commitsOf, type Push } from "../github/push.ts";
import { openRepository } from "../github/repository.ts";
import { mergedPullRequests, namedReports, reviewedReports } from "../github/reviewed.ts";
import { refuseTooMany, refuseUnreported, turnsOf } from "../github/turns.ts";
import { MailRuleError } from "../mail/errors.ts";
import { code, codeBlock } from "../report/markdown-text.ts";
import type { StackReport } from "../report/stack-report.ts";
import { visibleLines } from "../report/visible-text.ts";
import { asCount } from "./as-count.ts";
import { endCommand } from "./end-command.ts";

const EXIT = { reviewed: 0, refused: 1, unread: 2 };

interface Options {
  readonly reports?: string;
  readonly from?: string;
  readonly to?: string;
  readonly branch?: string;
  readonly workflow: string;
  readonly artifact: string;
  readonly offboardAtMost: number;
  readonly json?: string;
  readonly markdown?: string;
}

async function run(args: readonly string[]): Promise<number> {
  const command = new Command("npm run reviewed --")
    .description("Finds what was reviewed of what was merged. Changes nothing.")
    .option("--from <commit>", "the branch's last commit before the push")
    .option("--to <commit>", "its last commit now")
    .option("--branch <name>", "which branch was pushed")
    .option("--workflow <file>", "the file of the workflow that previews", "preview.yml")
    .option("--artifact <name>", "what it leaves behind", "mail-path-report")
    .option("--offboard-at-most <number>", "so many domains may leave in all", asCount, 1)
    .option("--json <file>", "takes the reports that were reviewed")
    .option("--markdown <file>", "takes what a person should know, if there is anything")
    .option("--reports <file>", "instead of all that: takes the stacks from these reports")
    .exitOverride()
    .parse(args, { from: "user" });
  const options = command.opts<Options>();
  const { from, to, branch, json, reports } = options;
  if (reports === undefined && [from, to, branch, json].includes(undefined)) {
    return command.error("error: give --from, --to, --branch and --json, or --reports");
  }
  try {
    await tell(await (reports === undefined ? find(options) : read(reports)), options);
    return EXIT.reviewed;
  } catch (error) {
    if (!(error instanceof MailRuleError) || !REFUSALS.has(error.code)) throw error;
    console.error(visibleLines(error.message));
    const { markdown } = options;
    if (markdown !== undefined) await write(markdown, codeBlock(error.message.split("\n")));
    return EXIT.refused;
  }
}

const REFUSALS = new Set(["not-reviewed", "too-many-offboarded", "too-many-stacks"]);

/** Those of a run that was started by hand: no push changes any file. */
async function read(file: string): Promise<Found> {
  const reports = namedReports.parse(JSON.parse(await readFile(file, "utf8")));
  return { reports, touched: new Set() };
}

/** What a push is about. */
interface Found {
  readonly reports: readonly StackReport[];
  /** The stacks whose own files it changes. */
  readonly touched: ReadonlySet<string>;
}

async function find(options: Options): Promise<Found> {
  const { from = "", to = "", branch = "", json = "" } = options;
  const changes = await changesOf({ from, to });
  const touched = new Set(changes.flatMap(({ file }) => stackOfFile(file) ?? []));
  const { stacks, removed } = touchedStacks(changes, new Set([...touched].filter(hasFile)));
  // As with a document: there is nothing that anybody could have reviewed.
  const isNothing = stacks !== "all" && stacks.size === 0 && removed.size === 0;
  const reports = isNothing ? [] : await reviewedOf(options, { from, to, branch });
  await write(json, JSON.stringify(reports, null, 2));
  return { reports, touched };
}

async function reviewedOf(
  { workflow, artifact }: Options,
  { branch, ...push }: Push & { readonly branch: string },
): Promise<readonly StackReport[]> {
  const repository = openRepository();
  const pullRequests = await mergedPullRequests(repository, await commitsOf(push), branch);
  console.log(`pull-requests=${pullRequests.map(({ number }) => number).join(" ")}`);
  const where = { workflow, artifact, file: "report.json" };
  return reviewedReports(repository, pullRequests, where);
}

/** @throws MailRuleError `too-many-offboarded`, `not-reviewed`, `too-many-stacks` */
async function tell({ reports, touched }: Found, options: Options): Promise<void> {
  refuseUnreported(reports, hasFile, touched);
  const turns = turnsOf(reports, hasFile, touched);
  const { gateways, tenants, removed } = turns;
  const due = reports.filter(({ stack }) => hasFile(stack));
  const [tooMany] = boundFaults(due, options);
  if (tooMany !== undefined) throw tooMany;
  refuseTooMany(turns);
  console.log(`gateways=${JSON.stringify(gateways)}`);
  console.log(`tenants=${JSON.stringify(tenants)}`);
  const followers = await followersOf(process.cwd(), gateways);
  const others = followers.filter((stack) => !tenants.includes(stack));
  const texts = [removedText(removed), followersText(others)].filter((text) => text !== "");
  if (texts.length === 0) return;
  console.error(texts.join("\n"));
  if (options.markdown !== undefined) await write(options.markdown, texts.join("\n\n"));
}

function removedText(removed: readonly string[]): string {
  if (removed.length === 0) return "";
  const names = removed.map((stack) => code(stack)).join(", ");
  return `The file is gone of: ${names}. Their domains stay on the gateway until the workflow destroy is run.`;
}

function hasFile(stack: string): boolean {
  return existsSync(`stacks/Pulumi.${stack}.yaml`);
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${text}\n`);
}

await endCommand(run, EXIT.unread);
