/**
 * `npm run comment`: creates the one comment on a pull request, or updates it.
 *
 * The pull request is given by its number, or by the last commit of its branch: a run that was started by another
 * run knows nothing else of it that GitHub vouches for. Ends with 0, and with 2 where GitHub could not be asked.
 */
import { readFile } from "node:fs/promises";
import { Command, InvalidArgumentError } from "commander";
import { boundFaults } from "../fleet/guard.ts";
import { keepComment } from "../github/comment.ts";
import {
  type CommentSource,
  digestOf,
  REPORT_COMMENT,
  sourceAddress,
  sourceDetails,
  sourceText,
} from "../github/comment-source.ts";
import { followersOf, followersText } from "../github/followers.ts";
import { joinTexts } from "../github/join-texts.ts";
import { BODY_LIMIT } from "../github/own-text.ts";
import { findOpenPullRequest, type Head } from "../github/pull-requests.ts";
import { readReports, unreadableText } from "../github/read-reports.ts";
import { openRepository } from "../github/repository.ts";
import { stackFiles, stackFilesText } from "../github/stack-files-text.ts";
import { turnsOf } from "../github/turns.ts";
import { MailRuleError } from "../mail/errors.ts";
import { renderComment } from "../report/markdown.ts";
import { codeBlock } from "../report/markdown-text.ts";
import type { StackReport } from "../report/stack-report.ts";
import { asCount } from "./as-count.ts";
import { endCommand } from "./end-command.ts";

const FAILED = 2;

/** In characters, with room for the hidden line, and for the one that says of which run it is. */
const COMMENT_LIMIT = BODY_LIMIT - 1_000;

interface Options {
  readonly file?: readonly string[];
  readonly reports?: string;
  readonly restUrl?: string;
  readonly offboardAtMost: number;
  readonly stackFiles?: string;
  readonly about: string;
  readonly pullRequest?: number;
  readonly headOwner?: string;
  readonly headBranch?: string;
  readonly headCommit?: string;
  readonly run?: string;
  readonly attempt: number;
}

async function run(args: readonly string[]): Promise<number> {
  const command = new Command("npm run comment --")
    .description("Creates the one comment on a pull request, or updates it.")
    .option("--file <markdown...>", "what the comment says; of several files as many as fit,")
    .option("--reports <json>", "or the reports of a preview,")
    .option("--rest-url <url>", "where a reader finds what of them does not fit,")
    .option("--offboard-at-most <number>", "so many domains a merge lets leave", asCount, 1)
    .option("--stack-files <json>", "or what stack-files has found, of a fork's commit")
    .option("--about <kind>", "one comment of each kind is kept", REPORT_COMMENT)
    .option("--pull-request <number>", "its number", asNumber)
    .option("--head-owner <owner>", "or: who owns the repository of its branch,")
    .option("--head-branch <branch>", "the branch,")
    .option("--head-commit <commit>", "and the branch's last commit", asCommit)
    .option("--run <id>", "which run has left what the comment shows,", asId)
    .option("--attempt <number>", "and in which of its attempts", asNumber, 1)
    .exitOverride()
    .parse(args, { from: "user" });
  const options = command.opts<Options>();
  const repository = openRepository();
  const number =
    options.pullRequest ?? (await findOpenPullRequest(repository, asHead(command, options)));
  if (number === undefined) {
    console.log("No open pull request ends with this commit any more. Nothing was written.");
    return 0;
  }
  const source = await sourceOfOptions(options);
  const address = source && sourceAddress(source, repository.url);
  const markdown = await markdownOf(command, options, address);
  const above = source === undefined ? "" : `${sourceText(source, repository.url)}\n\n`;
  const details = source && sourceDetails(source);
  const outcome = await keepComment(repository, number, options.about, above + markdown, details);
  console.log(`The comment on ${repository.url}/pull/${number} was ${WORDS[outcome]}.`);
  return 0;
}

const WORDS = { created: "created", updated: "updated", unchanged: "left as it is" } as const;

/** @param address of the run that has left what the comment shows */
async function markdownOf(
  command: Command,
  options: Options,
  address: string | undefined,
): Promise<string> {
  const { file, reports, stackFiles: found, headCommit = "" } = options;
  if (file !== undefined) {
    const texts = await Promise.all(file.map((path) => readFile(path, "utf8")));
    return joinTexts(texts, COMMENT_LIMIT);
  }
  if (reports !== undefined) {
    return shownOrUnreadable(await readFile(reports, "utf8"), options, address);
  }
  if (found === undefined) {
    return command.error("error: give --file, --reports or --stack-files");
  }
  return stackFilesText(stackFiles.parse(await readJson(found)), headCommit);
}

async function shownOrUnreadable(
  text: string,
  options: Options,
  address: string | undefined,
): Promise<string> {
  try {
    return await reportsText(readReports(text), options);
  } catch (error) {
    if (!(error instanceof MailRuleError) || error.code !== "report-of-other-version") throw error;
    console.error(error.message);
    return unreadableText(error, address);
  }
}

/** Undefined where no run is named. */
async function sourceOfOptions(options: Options): Promise<CommentSource | undefined> {
  const { run: id, attempt, headCommit: commit, reports } = options;
  if (id === undefined || commit === undefined) return undefined;
  const source = { commit, run: id, attempt };
  if (reports === undefined) return source;
  return { ...source, digest: digestOf(await readFile(reports, "utf8")) };
}

/** What none of the reports can say by itself stands above them. */
async function reportsText(
  reports: readonly StackReport[],
  { restUrl, offboardAtMost }: Options,
): Promise<string> {
  // What a removed file leaves on the gateway only a destroy takes off, with a limit of its own.
  const byMerge = reports.filter(({ isDestroyed }) => !isDestroyed);
  const faults = boundFaults(byMerge, { offboardAtMost });
  const { gateways, tenants } = turnsOf(byMerge, () => true);
  const followers = await followersOf(process.cwd(), gateways);
  const notices = [
    ...faults.map(({ message }) => `A merge will do nothing:\n\n${codeBlock(message.split("\n"))}`),
    followersText(followers.filter((stack) => !tenants.includes(stack))),
  ].filter((text) => text !== "");
  const above = notices.map((text) => `${text}\n\n`).join("");
  const limit = COMMENT_LIMIT - above.length;
  return above + renderComment(reports, { limit, restUrl, offboardAtMost }).comment;
}

async function readJson(file: string): Promise<unknown> {
  return JSON.parse(await readFile(file, "utf8"));
}

function asHead(command: Command, options: Options): Head {
  const { headOwner: owner, headBranch: branch, headCommit: commit } = options;
  if (owner !== undefined && branch !== undefined && commit !== undefined) {
    return { owner, branch, commit };
  }
  return command.error("error: give --pull-request, or all of --head-owner, -branch, -commit");
}

function asNumber(text: string): number {
  if (/^[1-9]\d*$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a number from 1.");
}

function asId(text: string): string {
  if (/^[1-9]\d*$/.test(text)) return text;
  throw new InvalidArgumentError("It is the number in the address of a run.");
}

function asCommit(text: string): string {
  if (/^[0-9a-f]{40,64}$/.test(text)) return text;
  throw new InvalidArgumentError("It is the whole hash of a commit.");
}

await endCommand(run, FAILED);
