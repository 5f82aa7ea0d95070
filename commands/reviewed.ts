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
import { execa } from "execa";
import { boundFaults } from "../fleet/guard.ts";
import { stackOfFile } from "../fleet/stack-files.ts";
import { followersOf, followersText } from "../github/followers.ts";
import { openRepository } from "../github/repository.ts";
import { mergedPullRequests, namedReports, reviewedReports, turnsOf } from "../github/reviewed.ts";
import { MailRuleError } from "../mail/errors.ts";
import { code, codeBlock } from "../report/markdown-text.ts";
import type { StackReport } from "../report/stack-report.ts";
import { visibleLines } from "../report/visible-text.ts";
import { asCount } from "./as-count.ts";
import { endCommand } from "./end-command.ts";

const EXIT = { reviewed: 0, refused: 1, unread: 2 };

/** Names no commit: what GitHub gives as the one before the first. */
const NO_COMMIT = /^0+$/;

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

const REFUSALS = new Set(["not-reviewed", "too-many-offboarded"]);

async function read(file: string): Promise<readonly StackReport[]> {
  return namedReports.parse(JSON.parse(await readFile(file, "utf8")));
}

async function find(options: Options): Promise<readonly StackReport[]> {
  const { from = "", to = "", branch = "", json = "", workflow, artifact } = options;
  const repository = openRepository();
  const commits = await commitsBetween(from, to);
  const pullRequests = await mergedPullRequests(repository, commits, branch);
  console.log(`pull-requests=${pullRequests.map(({ number }) => number).join(" ")}`);
  const where = { workflow, artifact, file: "report.json" };
  const found = await reviewedReports(repository, pullRequests, where);
  await write(json, JSON.stringify(found, null, 2));
  return found;
}

/** @throws MailRuleError `too-many-offboarded` */
async function tell(all: readonly StackReport[], options: Options): Promise<void> {
  const { gateways, tenants, removed } = turnsOf(all, hasFile, await touchedBy(options));
  const due = all.filter(({ stack }) => hasFile(stack));
  const [tooMany] = boundFaults(due, options);
  if (tooMany !== undefined) throw tooMany;
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

/** The stacks whose own files the push changes. None where the stacks are not those of a push. */
async function touchedBy({ from, to }: Options): Promise<ReadonlySet<string>> {
  if (from === undefined || to === undefined) return new Set();
  const commits = NO_COMMIT.test(from) ? ["--root", "--no-commit-id", to] : [from, to];
  const names = ["-r", "--name-only", "--no-renames", "-z"];
  const { stdout } = await execa("git", ["diff-tree", ...names, ...commits, "--"]);
  return new Set(stdout.split("\0").flatMap((file) => stackOfFile(file) ?? []));
}

/** What the push brought, the oldest first: merges, or the commits themselves where they were rebased. */
async function commitsBetween(from: string, to: string): Promise<string[]> {
  const range = NO_COMMIT.test(from) ? ["--max-count=1", to] : [`${from}..${to}`];
  const args = ["rev-list", "--first-parent", "--reverse", ...range, "--"];
  const { stdout } = await execa("git", args);
  return stdout.split("\n").filter(Boolean);
}

async function write(file: string, text: string): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, `${text}\n`);
}

await endCommand(run, EXIT.unread);
