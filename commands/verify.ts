/**
 * `npm run verify -- <stack>`: looks whether a tenant in production is as its stack says, and whether its mail
 * goes the way that it should.
 *
 * It changes nothing. Ends with 0 where nothing is wrong, 1 where something is, and 2 where something could not
 * be read.
 */
import { Command, InvalidArgumentError } from "commander";
import { endCommand } from "./end-command.ts";
import { type VerifyStatus, verifyStack } from "./verify-stack.ts";
import { verdictTable } from "./verify-table.ts";

const EXIT: Readonly<Record<VerifyStatus, number>> = { well: 0, notice: 0, wrong: 1, unread: 2 };

interface Options {
  readonly json?: true;
  readonly smtp: boolean;
  readonly quietHours?: number;
}

async function run(args: readonly string[]): Promise<number> {
  const command = new Command("npm run verify --")
    .description("Looks whether a tenant in production is as its stack says. Changes nothing.")
    .argument("<stack>", "the stack's name, as pulumi stack ls shows it; for example contoso")
    .option("--json", "print JSON")
    .option("--no-smtp", "do not ask the gateway by SMTP, where outgoing port 25 is blocked")
    .option("--quiet-hours <hours>", "for how long no mail may come in (default: 72)", asHours)
    .exitOverride()
    .parse(args, { from: "user" });
  const [stack = ""] = command.args;
  const { json, ...options } = command.opts<Options>();
  const verdict = await verifyStack(stack, options);
  console.log(json ? JSON.stringify(verdict, null, 2) : verdictTable(verdict, isColoured()));
  return EXIT[verdict.status];
}

/** Not for a pipe, and not where NO_COLOR (no-color.org) is set. */
function isColoured(): boolean {
  return process.stdout.isTTY && process.stdout.hasColors();
}

function asHours(text: string): number {
  const hours = Number(text);
  if (text.trim() !== "" && hours > 0) return hours;
  throw new InvalidArgumentError("It is a number of hours above 0.");
}

await endCommand(run, EXIT.unread);
