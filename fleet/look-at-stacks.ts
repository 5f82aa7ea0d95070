/** Compares many stacks with the world: by the engine's refresh, or by `verify`. Changes nothing. */

import type { VerifyOptions } from "../commands/verify-evidence.ts";
import { type StackVerdict, verifyStack, worst } from "../commands/verify-stack.ts";
import { type Check, notice, unread } from "../mail/verify/check.ts";
import type { ChosenStack } from "./choose-stacks.ts";
import { DriftReader } from "./drift-reader.ts";
import type { FleetRun } from "./fleet-run.ts";
import type { Progress } from "./progress.ts";

type Look = (chosen: ChosenStack, progress: Progress) => Promise<StackVerdict>;

/** What differs from the state. @param write whether the state takes over what was found */
export function refreshStacks(
  run: FleetRun,
  stacks: readonly ChosenStack[],
  write: boolean,
): Promise<StackVerdict[]> {
  const operation = write ? "refresh" : "preview-refresh";
  return look(run, "Refresh", stacks, async (chosen, progress) => {
    const reader = new DriftReader();
    const outcome = await run.change(chosen, operation, progress, (event) => reader.see(event));
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
    const result = chosen.isKnown ? await orUnread(chosen, lookAt, progress) : notYet(chosen);
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
