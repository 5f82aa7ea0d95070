/** Compares many stacks with the world: by the engine's refresh, or by `verify`. Changes nothing. */
import type { VerifyOptions } from "../commands/verify-evidence.ts";
import { type StackVerdict, verifyStack, worst } from "../commands/verify-stack.ts";
import { type Check, notice, unread, wrong } from "../mail/verify/check.ts";
import type { ChosenStack } from "./choose-stacks.ts";
import { DriftReader } from "./drift-reader.ts";
import type { FleetRun } from "./fleet-run.ts";
import { exportStack } from "./known-stacks.ts";
import type { Progress } from "./progress.ts";
import { storedResources } from "./stored-resources.ts";

type Look = (chosen: ChosenStack, progress: Progress) => Promise<StackVerdict>;

/** What differs from the state. @param write whether the state takes over what was found */
export function refreshStacks(
  run: FleetRun,
  stacks: readonly ChosenStack[],
  write: boolean,
): Promise<StackVerdict[]> {
  return look(run, "Refresh", stacks, async (chosen, progress) => {
    const state = await exportStack(chosen.stack);
    const reader = new DriftReader(storedResources(state));
    const see = (event: unknown) => reader.see(event);
    const outcome = write
      ? await run.change(chosen, "refresh", progress, see)
      : await run.preview(chosen, "preview-refresh", progress, see, state);
    const isWell = outcome.exitCode === 0;
    const { checks, domains } = reader.end(
      isWell ? undefined : outcome.text || "It was cut short.",
    );
    return verdictOf(chosen, checks, domains);
  });
}

/** What `npm run verify` says of each organisation's stack. A gateway's slots are looked at with its organisations. */
export function verifyStacks(
  run: FleetRun,
  stacks: readonly ChosenStack[],
  options: VerifyOptions,
): Promise<StackVerdict[]> {
  const tenants = stacks.filter(({ kind }) => kind !== "gateway");
  const { requestPaces } = run;
  return look(run, "Verify", tenants, ({ stack }) =>
    verifyStack(stack, { ...options, requestPaces }),
  );
}

async function look(
  run: FleetRun,
  title: string,
  stacks: readonly ChosenStack[],
  lookAt: Look,
): Promise<StackVerdict[]> {
  const verdicts = await run.each(title, stacks, async (chosen, progress) => {
    const found = chosen.isKnown ? await orUnread(chosen, lookAt, progress) : notYet(chosen);
    const result = chosen.hasFile ? found : leftBehind(chosen, found);
    return { outcome: result.status, result };
  });
  return stacks.map((chosen, index) => verdicts[index] ?? notBegun(chosen));
}

async function orUnread(
  chosen: ChosenStack,
  lookAt: Look,
  progress: Progress,
): Promise<StackVerdict> {
  try {
    return await lookAt(chosen, progress);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return verdictOf(chosen, [unread("state", text)]);
  }
}

function notYet(chosen: ChosenStack): StackVerdict {
  const text = "The stack was not brought up yet.";
  return verdictOf(chosen, [notice("onboarded", text, "npm run fleet -- up, or delete its file.")]);
}

/** Nothing else tells that it is still there; that its file cannot be read is no news then. */
function leftBehind(chosen: ChosenStack, { checks, domains }: StackVerdict): StackVerdict {
  const { stack, file } = chosen;
  const gone = wrong(
    "stack-file",
    `${file} is gone, and the stack is still on the gateway.`,
    `npm run fleet -- destroy --stack ${stack} takes it off; otherwise put the file back.`,
  );
  const others = checks.filter(({ id }) => id !== gone.id);
  const byDomain = domains.map(({ domain, checks: found }) => [domain, found] as const);
  return verdictOf(chosen, [gone, ...others], new Map(byDomain));
}

function notBegun(chosen: ChosenStack): StackVerdict {
  return verdictOf(chosen, [unread("state", "The run was stopped before this stack's turn.")]);
}

function verdictOf(
  { stack }: ChosenStack,
  checks: readonly Check[],
  byDomain: ReadonlyMap<string, readonly Check[]> = new Map(),
): StackVerdict {
  const domains = [...byDomain].map(([domain, found]) => {
    return { domain, status: worst(found), checks: found };
  });
  const all = [...checks, ...domains.flatMap((domain) => domain.checks)];
  return { stack, at: new Date().toISOString(), status: worst(all), checks, domains };
}
