/**
 * `npm run fleet -- preview|up|destroy|refresh|verify|adopt`: many stacks at once.
 *
 * Ends with 0 where all is well, 1 where something was found or failed, and 2 where something could not be read.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { adopt } from "../fleet/adopt.ts";
import { COLUMNS } from "../fleet/adopt-csv.ts";
import { type Changed, destroyStacks, upStacks } from "../fleet/change-stacks.ts";
import {
  type Choice,
  type ChosenStack,
  chooseLeaving,
  chooseStacks,
} from "../fleet/choose-stacks.ts";
import { FleetRun } from "../fleet/fleet-run.ts";
import type { Bounds } from "../fleet/guard.ts";
import { refreshStacks, verifyStacks } from "../fleet/look-at-stacks.ts";
import { previewStacks } from "../fleet/preview-stacks.ts";
import { stopSignal } from "../fleet/stop-signal.ts";
import { changeExit, changeSummary, EXIT, previewExit, previewSummary } from "../fleet/summary.ts";
import { verdictsExit, verdictsText } from "../fleet/verdicts-text.ts";
import { type ReportFiles, writeReports, writeVerdicts } from "../fleet/write-reports.ts";
import { codeBlock } from "../github/code-block.ts";
import program from "../index.ts";
import { STACK_STATUSES } from "../report/stack-report.ts";
import { renderTerminal } from "../report/terminal.ts";
import { endCommand } from "./end-command.ts";
import type { StackVerdict } from "./verify-stack.ts";

interface Options extends ReportFiles {
  readonly changed?: string;
  readonly stack?: string;
  readonly parallel: number;
}

interface ChangeOptions extends Options {
  readonly offboardAtMost: number;
  readonly reviewed?: string;
}

interface LookOptions extends Options {
  readonly write?: true;
  readonly smtp?: boolean;
}

/** An engine takes about 150 MB, so that this many stay below 1.5 GB. */
const PARALLEL = 6;

const reviewedReports = z.array(
  z.looseObject({
    stack: z.string(),
    status: z.enum(STACK_STATUSES),
    changeDigest: z.string(),
  }),
);

async function run(args: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.unread;
  const fleet = new Command("npm run fleet --")
    .description("Previews, changes and looks at many stacks at once.")
    .exitOverride();
  command(
    fleet,
    "preview",
    "Says what would happen to the mail of each domain. Changes nothing.",
  ).action(async (options: Options) => {
    exitCode = await preview(options);
  });
  changing(fleet, "up", "Does what the stack files say, gateways first.")
    .option("--reviewed <file>", "the JSON of a preview: stop where something else would be done")
    .action(async (options: ChangeOptions) => {
      exitCode = await up(options);
    });
  changing(fleet, "destroy", "Takes the domains of stacks off the gateway.").action(
    async (options: ChangeOptions) => {
      exitCode = await destroy(options);
    },
  );
  command(fleet, "refresh", "Says what is not as the last run left it. Changes nothing.")
    .option("--write", "the state takes over what was found")
    .action(async (options: LookOptions) => {
      exitCode = await look(options, (looking, stacks) =>
        refreshStacks(looking, stacks, options.write === true),
      );
    });
  command(fleet, "verify", "Looks whether the organisations' mail goes as it should.")
    .option("--no-smtp", "do not ask the gateway by SMTP, where outgoing port 25 is blocked")
    .action(async (options: LookOptions) => {
      exitCode = await look(options, (looking, stacks) => verifyStacks(looking, stacks, options));
    });
  fleet
    .command("adopt")
    .description("Writes stack files for domains that already run through the gateway, or will.")
    .argument("<file.csv>", `a table with a line of names above it: ${COLUMNS.join(", ")}`)
    .option("--like <stack>", "the stack that is at the same gateway")
    .exitOverride()
    .action(async (table: string, options: { readonly like?: string }) => {
      exitCode = await adoptTable(table, options.like);
    });
  await fleet.parseAsync(args, { from: "user" });
  return exitCode;
}

function command(fleet: Command, name: string, description: string): Command {
  return fleet
    .command(name)
    .description(description)
    .option(
      "--changed <git ref>",
      "only the stacks that differ from there, or all if the program does",
    )
    .option("--stack <pattern>", "only the stacks of this name; * stands for anything")
    .option("--json <file>", "takes all of it, for programs")
    .option("--markdown <file>", "takes the text of a comment at GitHub")
    .option("--rest <file>", "takes what does not fit into the comment")
    .option("--rest-url <url>", "where a reader of the comment finds that")
    .option("--parallel <number>", "so many stacks at once", asCount, PARALLEL)
    .exitOverride();
}

function changing(fleet: Command, name: string, description: string): Command {
  return command(fleet, name, description).option(
    "--offboard-at-most <number>",
    "so many domains may leave the gateway",
    asCount,
    1,
  );
}

async function preview(options: Options): Promise<number> {
  const reports = await inRun(options, async (fleet, folder) => {
    const stacks = await chooseStacks(process.cwd(), choiceOf(options), folder);
    return (await previewStacks(fleet, stacks)).map(({ report }) => report);
  });
  await writeReports(reports, options);
  if (reports.length > 0) console.log(renderTerminal(reports, { isColoured: isColoured() }));
  console.log(previewSummary(reports));
  return previewExit(reports);
}

async function up(options: ChangeOptions): Promise<number> {
  const bounds = await boundsOf(options);
  const changed = await inRun(options, async (fleet, folder) => {
    const chosen = await chooseStacks(process.cwd(), choiceOf(options), folder);
    const staying = chosen.filter(({ formerFile }) => formerFile === undefined);
    for (const { stack, formerFile } of chosen) {
      if (formerFile === undefined) continue;
      console.error(
        `${stack}: its file was removed. npm run fleet -- destroy takes it off the gateway.`,
      );
    }
    return upStacks(fleet, staying, bounds);
  });
  return tell(changed, options);
}

async function destroy(options: ChangeOptions): Promise<number> {
  const { changed, pattern } = choiceOf(options);
  if (changed === undefined && pattern === undefined) {
    throw new Error(
      "Say which stacks leave: --stack <pattern>, or --changed <git ref> for those whose file was removed.",
    );
  }
  const bounds = await boundsOf(options);
  return tell(
    await inRun(options, async (fleet, folder) => {
      const stacks = await chooseLeaving(process.cwd(), { changed, pattern }, folder);
      return destroyStacks(fleet, stacks, bounds);
    }),
    options,
  );
}

/** A stack that has left the repository is looked at as well, as long as the backend has it. */
async function look(
  options: LookOptions,
  lookAt: (run: FleetRun, stacks: readonly ChosenStack[]) => Promise<StackVerdict[]>,
): Promise<number> {
  const verdicts = await inRun(options, async (fleet, folder) =>
    lookAt(fleet, await chooseStacks(process.cwd(), choiceOf(options), folder)),
  );
  await writeVerdicts(verdicts, options);
  console.log(verdictsText(verdicts));
  return verdictsExit(verdicts);
}

async function tell(changed: Changed, options: ReportFiles): Promise<number> {
  const summary = changeSummary(changed);
  await writeReports(changed.reports, options, `${codeBlock(summary)}\n`);
  if (changed.reports.length > 0)
    console.log(renderTerminal(changed.reports, { isColoured: isColoured() }));
  console.log(summary);
  return changeExit(changed);
}

async function adoptTable(table: string, like: string | undefined): Promise<number> {
  const { files, faults } = await adopt({ project: process.cwd(), table, like });
  for (const { message } of faults) console.error(message);
  for (const file of files) console.log(`${file} is written.`);
  console.log(
    "Read what is written, then: npm run fleet -- preview. It must show no change of MX and SPF.",
  );
  return faults.length > 0 ? EXIT.found : EXIT.well;
}

/** Not for a pipe, and not where NO_COLOR (no-color.org) is set. */
function isColoured(): boolean {
  return process.stdout.isTTY && process.stdout.hasColors();
}

/** An empty text is none: it is what a CI gives for an input that nobody filled in. */
function choiceOf({ changed, stack }: Options): Choice {
  return { changed: changed || undefined, pattern: stack || undefined };
}

async function boundsOf({ offboardAtMost, reviewed }: ChangeOptions): Promise<Bounds> {
  if (reviewed === undefined) return { offboardAtMost };
  const reports = reviewedReports.parse(JSON.parse(await readFile(reviewed, "utf8")));
  return { offboardAtMost, reviewed: new Map(reports.map((report) => [report.stack, report])) };
}

async function inRun<T>(
  { parallel }: Options,
  work: (fleet: FleetRun, folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "mail-fleet-"));
  try {
    const options = { project: process.cwd(), program, parallel, signal: stopSignal() };
    return await work(new FleetRun(options), folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function asCount(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new InvalidArgumentError("It is a number.");
}

await endCommand(run, EXIT.unread);
