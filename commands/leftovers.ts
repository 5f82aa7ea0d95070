/**
 * `npm run leftovers -- <stack>`: finds what a killed run left behind, and names the command that mends it.
 * `npm run leftovers -- --domain <domain>`: finds what still mentions a domain that has left.
 *
 * It changes nothing. Ends with 0 where nothing is left behind, or nothing but what deletes itself, 1 where
 * something is, and 2 where something could not be read.
 */
import { Command } from "commander";
import { endCommand } from "./end-command.ts";
import { inspectStack, type StackReport, type Status } from "./inspect-stack.ts";
import { findResidue, type ResidueOptions, type Trace } from "./residue.ts";

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

function describeTraces(domain: string, traces: readonly Trace[]): string {
  if (traces.length === 0) return `Nothing mentions ${domain}.`;
  const lines = traces.map(({ place, text, ends }) => {
    const end = ends === undefined ? "it stays" : `deletes itself after ${ends}`;
    return `  ${place}: ${text}; ${end}`;
  });
  return [`What mentions ${domain}:`, ...lines].join("\n");
}

interface Options extends ResidueOptions {
  readonly json?: true;
  readonly domain?: string;
}

async function run(args: readonly string[]): Promise<number> {
  const command = new Command("npm run leftovers --")
    .description("Finds what a killed run left behind. Changes nothing.")
    .argument("[stack]", "the stack's name, as pulumi stack ls shows it; for example contoso")
    .option("--domain <domain>", "instead of a stack: what mentions a domain that has left")
    .option("--gateway <stack>", "with --domain: the gateway's stack, organization/mail/gateway")
    .option("--organisation <name>", "with --domain: whose sending identities are looked for")
    .option("--json", "print JSON")
    .exitOverride()
    .parse(args, { from: "user" });
  const [stack] = command.args;
  const { json, domain, ...options } = command.opts<Options>();
  if ((stack === undefined) === (domain === undefined)) {
    command.error("error: name a stack, or a domain with --domain");
  }
  const print = (value: unknown, text: string) =>
    console.log(json === true ? JSON.stringify(value, null, 2) : text);
  if (domain !== undefined) {
    const traces = await findResidue(domain, options);
    print(traces, describeTraces(domain, traces));
    return traces.every(({ ends }) => ends !== undefined) ? EXIT.clean : EXIT.found;
  }
  const report = await inspectStack(stack ?? "");
  print(report, describe(report));
  return EXIT[report.status];
}

await endCommand(run, EXIT.unknown);
