/**
 * `npm run reviewed`: what was reviewed of what was merged, and which stacks are to be done, gateways and tenants.
 *
 * It prints lines as GitHub takes them for outputs: `pull-requests=12`, `gateways=["gateway"]`,
 * `tenants=["contoso"]`. It changes nothing. Ends with 0, with 1 where something was not reviewed, and with 2 where
 * that could not be found out.
 */
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { Command } from "commander";
import { execa } from "execa";
import { openRepository } from "../github/repository.ts";
import { mergedPullRequests, reviewedReports, turnsOf } from "../github/reviewed.ts";
import { MailRuleError } from "../mail/errors.ts";
import { type StackReport, stackReports } from "../report/stack-report.ts";
import { endCommand } from "./end-command.ts";

const EXIT = { reviewed: 0, notReviewed: 1, unread: 2 };

/** Names no commit: what GitHub gives as the one before the first. */
const NO_COMMIT = /^0+$/;

interface Options {
  readonly reports?: string;
  readonly from?: string;
  readonly to?: string;
  readonly workflow: string;
  readonly artifact: string;
  readonly json?: string;
  readonly markdown?: string;
}

async function run(args: readonly string[]): Promise<number> {
  const command = new Command("npm run reviewed --")
    .description("Finds what was reviewed of what was merged. Changes nothing.")
    .option("--from <commit>", "the branch's last commit before the push")
    .option("--to <commit>", "its last commit now")
    .option("--workflow <file>", "the file of the workflow that previews", "preview.yml")
    .option("--artifact <name>", "what it leaves behind", "mail-path-report")
    .option("--json <file>", "takes the reports that were reviewed")
    .option("--markdown <file>", "takes what a person should know, if there is anything")
    .option("--reports <file>", "instead of all that: takes the stacks from these reports")
    .exitOverride()
    .parse(args, { from: "user" });
  const options = command.opts<Options>();
  if (options.reports !== undefined) {
    await tell(stackReports.parse(JSON.parse(await readFile(options.reports, "utf8"))), options);
    return EXIT.reviewed;
  }
  const { from, to, json } = options;
  if (from === undefined || to === undefined || json === undefined) {
    return command.error("error: give --from, --to and --json, or --reports");
  }
  try {
    await find(from, to, { ...options, json });
    return EXIT.reviewed;
  } catch (error) {
    if (!(error instanceof MailRuleError) || error.code !== "not-reviewed") throw error;
    console.error(error.message);
    if (options.markdown !== undefined) await write(options.markdown, `${error.message}\n`);
    return EXIT.notReviewed;
  }
}

async function find(from: string, to: string, options: Options & { readonly json: string }) {
  const repository = openRepository();
  const pullRequests = await mergedPullRequests(repository, await commitsBetween(from, to));
  console.log(`pull-requests=${pullRequests.map(({ number }) => number).join(" ")}`);
  const { workflow, artifact, json } = options;
  const where = { workflow, artifact, file: "report.json" };
  const found = await reviewedReports(repository, pullRequests, where);
  await write(json, `${JSON.stringify(found, null, 2)}\n`);
  await tell(found, options);
}

async function tell(all: readonly StackReport[], { markdown }: Options): Promise<void> {
  const { gateways, tenants, removed } = turnsOf(all, hasFile);
  console.log(`gateways=${JSON.stringify(gateways)}`);
  console.log(`tenants=${JSON.stringify(tenants)}`);
  if (removed.length === 0) return;
  const text = `The file is gone of: ${removed.join(", ")}. Their domains stay on the gateway until the workflow destroy is run.`;
  console.error(text);
  if (markdown !== undefined) await write(markdown, `${text}\n`);
}

function hasFile(stack: string): boolean {
  return existsSync(`stacks/Pulumi.${stack}.yaml`);
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
  await writeFile(file, text);
}

await endCommand(run, EXIT.unread);
