/**
 * `npm run leftovers -- <stack>`: finds what a killed run left behind, and names the command that mends it.
 *
 * It changes nothing. Ends with 0 where nothing is left behind, 1 where something is, and 2 where
 * something could not be read.
 */
import { Command } from "commander";
import { endCommand } from "./end-command.ts";
import { inspectStack, type StackReport, type Status } from "./inspect-stack.ts";

const EXIT: Readonly<Record<Status, number>> = { clean: 0, found: 1, unknown: 2 };

const WORDS: Readonly<Record<Status, string>> = {
  clean: "nothing left behind",
  found: "FOUND",
  unknown: "NOT READ",
};

function describe({ stack, findings, problem, domains, mend }: StackReport): string {
  const count = domains.length === 1 ? "1 domain" : `${domains.length} domains`;
  const lines = [`Stack ${stack}: looked at ${count}. Nothing was changed.`, ""];
  const add = (texts: readonly string[]) => lines.push(...texts.map((text) => `  ${text}`));
  if (problem !== undefined) lines.push(`${WORDS.unknown}: ${problem}`);
  add(findings.map(({ text }) => text));
  for (const report of domains) {
    lines.push(`${report.domain}: ${WORDS[report.status]}`);
    add([...report.findings.map(({ text }) => text), ...(report.problem ? [report.problem] : [])]);
  }
  const list = (title: string, commands: readonly string[]) => {
    if (commands.length > 0) lines.push("", title, ...commands.map((command) => `  ${command}`));
  };
  if (mend.stay.some((command) => command.startsWith("pulumi cancel"))) {
    lines.push("", "pulumi cancel stops nobody: run it only when no run of the stack is alive.");
  }
  list("If the domains are to stay with the gateway, run in this order:", mend.stay);
  list("If they are to leave it:", mend.leave);
  if (mend.leave.some((command) => command.startsWith("pulumi up"))) {
    lines.push(
      "",
      "That pulumi up finishes the takeover first, so that the destroy knows what to put back.",
    );
  }
  return lines.join("\n");
}

async function run(args: readonly string[]): Promise<number> {
  const command = new Command("npm run leftovers --")
    .description("Finds what a killed run left behind. Changes nothing.")
    .argument("<stack>", "the stack's name, as pulumi stack ls shows it; for example contoso")
    .option("--json", "print JSON")
    .exitOverride()
    .parse(args, { from: "user" });
  const [stack = ""] = command.args;
  const report = await inspectStack(stack);
  const asJson = command.opts<{ json?: true }>().json === true;
  console.log(asJson ? JSON.stringify(report, null, 2) : describe(report));
  return EXIT[report.status];
}

await endCommand(run, EXIT.unknown);
