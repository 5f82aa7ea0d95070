/**
 * `npm run fleet -- preview|up|destroy|refresh|verify|adopt`: many stacks at once.
 *
 * Ends with 0 where all is well, 1 where something was found or failed, and 2 where something could not be read.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { z } from "zod";
import { adopt } from "../fleet/adopt.ts";
import { COLUMNS } from "../fleet/adopt-csv.ts";
import { type Changed, destroyStacks, upStacks } from "../fleet/change-stacks.ts";
import {
  type ChosenStack,
  chooseLeaving,
  chooseStacks,
  chooseToLookAt,
} from "../fleet/choose-stacks.ts";
import { FleetRun } from "../fleet/fleet-run.ts";
import type { Bounds } from "../fleet/guard.ts";
import { refreshStacks, verifyStacks } from "../fleet/look-at-stacks.ts";
import { previewStacks } from "../fleet/preview-stacks.ts";
import { stopSignal } from "../fleet/stop-signal.ts";
import { changeExit, changeSummary, EXIT, previewExit, previewSummary } from "../fleet/summary.ts";
import { verdictsExit, verdictsText } from "../fleet/verdicts-text.ts";
import { type ReportFiles, writeReports, writeVerdicts } from "../fleet/write-reports.ts";
import program from "../index.ts";
import { codeBlock } from "../report/markdown-text.ts";
import { STACK_STATUSES, type StackReport } from "../report/stack-report.ts";
import { renderTerminal } from "../report/terminal.ts";
import { visible, visibleLines } from "../report/visible-text.ts";
import { endCommand } from "./end-command.ts";
import {
  bounded,
  type ChangeOptions,
  choiceOf,
  command,
  type LookOptions,
  type Options,
  type PreviewOptions,
  refreshing,
} from "./fleet-options.ts";
import type { StackVerdict } from "./verify-stack.ts";

const reviewedReports = z.array(
  z.looseObject({
    stack: z.string(),
    status: z.enum(STACK_STATUSES),
    changeDigest: z.string(),
  }),
);

async function run(args: readonly string[]): Promise<number> {
  let exitCode: number = EXIT.unread;
  const ending: Ending =
    (work) =>
    async (...given) => {
      exitCode = await work(...given);
    };
  const fleet = new Command("npm run fleet --")
    .description("Previews, changes and looks at many stacks at once.")
    .exitOverride();
  addChanges(fleet, ending);
  addLooks(fleet, ending);
  addAdopt(fleet, ending);
  await fleet.parseAsync(args, { from: "user" });
  return exitCode;
}

/** Makes an action of a work, whose exit code is that of the command. */
type Ending = <Given extends unknown[]>(
  work: (...given: Given) => Promise<number>,
) => (...given: Given) => Promise<void>;

function addChanges(fleet: Command, ending: Ending): void {
  const previews = "Says what would happen to the mail of each domain. Changes nothing.";
  refreshing(bounded(command(fleet, "preview", previews)))
    .option("--leaving", "what destroy would do")
    .action(ending(preview));
  const reviewed = [
    "--reviewed <file>",
    "the JSON of a preview: stop where something else would be done",
  ] as const;
  refreshing(bounded(command(fleet, "up", "Does what the stack files say, gateways first.")))
    .option(...reviewed)
    .action(ending(up));
  bounded(command(fleet, "destroy", "Takes the domains of stacks off the gateway."))
    .option(...reviewed)
    .action(ending(destroy));
}

function addLooks(fleet: Command, ending: Ending): void {
  command(fleet, "refresh", "Says what is not as the last run left it. Changes nothing.")
    .option("--write", "the state takes over what was found")
    .action(
      ending((options: LookOptions) =>
        look(options, (looking, stacks) => refreshStacks(looking, stacks, options.write === true)),
      ),
    );
  command(fleet, "verify", "Looks whether the organisations' mail goes as it should.")
    .option("--no-smtp", "do not ask the gateway by SMTP, where outgoing port 25 is blocked")
    .action(
      ending((options: LookOptions) =>
        look(options, (looking, stacks) => verifyStacks(looking, stacks, options)),
      ),
    );
}

function addAdopt(fleet: Command, ending: Ending): void {
  fleet
    .command("adopt")
    .description("Writes stack files for domains that already run through the gateway, or will.")
    .argument("<file.csv>", `a table with a line of names above it: ${COLUMNS.join(", ")}`)
    .option("--like <stack>", "the stack that is at the same gateway")
    .exitOverride()
    .action(
      ending((table: string, { like }: { readonly like?: string }) => adoptTable(table, like)),
    );
}

async function preview(options: PreviewOptions): Promise<number> {
  const reports = await inRun(options, async (fleet, folder) => {
    const choose = options.leaving === true ? chooseLeaving : chooseStacks;
    const stacks = await choose(process.cwd(), choiceOf(options), folder);
    return (await previewStacks(fleet, stacks, options)).map(({ report }) => report);
  });
  await writeReports(reports, options);
  print(reports, options);
  console.log(previewSummary(reports));
  return previewExit(reports);
}

async function up(options: ChangeOptions): Promise<number> {
  const bounds = await boundsOf(options);
  const changed = await inRun(options, async (fleet, folder) => {
    const chosen = await chooseStacks(process.cwd(), choiceOf(options), folder);
    const staying = chosen.filter(({ hasFile }) => hasFile);
    for (const { stack, hasFile } of chosen) {
      if (hasFile) continue;
      console.error(
        `${visible(stack)}: its file was removed. npm run fleet -- destroy takes it off the gateway.`,
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
    lookAt(fleet, await chooseToLookAt(process.cwd(), choiceOf(options), folder)),
  );
  await writeVerdicts(verdicts, options);
  console.log(verdictsText(verdicts));
  return verdictsExit(verdicts);
}

async function tell(changed: Changed, options: ReportFiles): Promise<number> {
  const summary = changeSummary(changed);
  await writeReports(changed.reports, options, `${codeBlock(summary.split("\n"))}\n`);
  print(changed.reports, options);
  console.log(summary);
  return changeExit(changed);
}

function print(reports: readonly StackReport[], { offboardAtMost }: ReportFiles): void {
  if (reports.length === 0) return;
  console.log(renderTerminal(reports, { isColoured: isColoured(), offboardAtMost }));
}

async function adoptTable(table: string, like: string | undefined): Promise<number> {
  const { files, faults } = await adopt({ project: process.cwd(), table, like });
  for (const { message } of faults) console.error(visibleLines(message));
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

async function boundsOf({ offboardAtMost, reviewed }: ChangeOptions): Promise<Bounds> {
  if (reviewed === undefined) return { offboardAtMost };
  const reports = reviewedReports.parse(JSON.parse(await readFile(reviewed, "utf8")));
  return { offboardAtMost, reviewed: new Map(reports.map((report) => [report.stack, report])) };
}

async function inRun<T>(
  { parallel, refresh: refreshes = false }: Options,
  work: (fleet: FleetRun, folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "mail-fleet-"));
  try {
    const own = { project: process.cwd(), program, folder };
    const fleet = new FleetRun({ ...own, parallel, refreshes, signal: stopSignal() });
    return await work(fleet, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

await endCommand(run, EXIT.unread);
