/** What a person must do for what happens to a domain, in order. The steps themselves come from mail/steps/. */
import { BYPASS_TOO, UNTIMED } from "../mail/steps/words.ts";
import type { KeptValues } from "./kept-values.ts";
import type { MailDomain } from "./mail-domain.ts";
import type { ChangeKind } from "./stack-report.ts";

type Lines = readonly string[];

/** Each is its lines: the title, then what to do, with the indentation of mail/steps/step.ts. */
export function stepsOf({ old, new: next }: MailDomain, kinds: readonly ChangeKind[]): string[][] {
  const [kind] = kinds;
  if (kind === "onboard") return worded(onboardingOf(next));
  if (kind === "offboard") return worded(offboardingOf(old));
  if (kind === "unknown" || kind === "unchanged") return [];
  const isNew = notAmong(onboardingOf(old));
  return worded([
    ...(kinds.includes("bypass") ? forBypass(offboardingOf(old)) : []),
    ...onboardingOf(next).filter(isNew),
    ...(kinds.includes("direction")
      ? offboardingOf(old).filter(notAmong(offboardingOf(next)))
      : []),
  ]);
}

/** The step that waits for a time stands there without it. */
function onboardingOf({ component }: KeptValues): Lines[] {
  const { onboarding = [], untimed = [] } = component?.steps ?? {};
  return onboarding.map((step) => (typeof step === "string" ? untimed : step));
}

function offboardingOf({ component }: KeptValues): Lines[] {
  return (component?.steps?.offboarding ?? []).filter((step) => typeof step !== "string");
}

/** Those that a bypass needs as well. Nothing is destroyed then. */
function forBypass(steps: readonly Lines[]): Lines[] {
  return steps
    .filter((lines) => lines.some((line) => line.includes(BYPASS_TOO)))
    .map(([first = "", ...rest]) => [
      first.replace("Before pulumi destroy", "Before pulumi up"),
      ...rest.filter((line) => !line.includes(BYPASS_TOO)),
    ]);
}

/** By what is to be done: neither the number nor the time counts. */
function notAmong(others: readonly Lines[]): (lines: Lines) => boolean {
  const known = new Set(others.map(whatOf));
  return (lines) => !known.has(whatOf(lines));
}

function whatOf([first = "", ...rest]: Lines): string {
  return [titleOf(first).title, ...rest].join("\n");
}

function titleOf(line: string): { when: string; title: string } {
  const [, when = "", title = line] = /^\d+\. (.*?): (.*)$/.exec(line) ?? [];
  return { when, title };
}

/** Who reads this in a pull request merges it, and does not run Pulumi. */
function worded(steps: readonly Lines[]): string[][] {
  return steps
    .filter((lines) => lines.length > 0)
    .map(([first = "", ...rest]) => {
      const { when, title } = titleOf(first);
      return [headline(when, title), ...rest];
    });
}

const RUNS: Readonly<Record<string, string>> = {
  "run pulumi up": "Then let the run do its part: merge this change (by hand: pulumi up)",
  "run pulumi destroy": "Then let the run take it off the gateway (by hand: pulumi destroy)",
};

function headline(when: string, title: string): string {
  const run = RUNS[title];
  if (run !== undefined) return run;
  const time = when
    .replace(UNTIMED, "the time that npm run steps tells then")
    .replace("Before pulumi up", "Before the run")
    .replace("After pulumi up", "After the run")
    .replace("Before pulumi destroy", "Before it leaves")
    .replace(/after pulumi destroy$/, "after it has left");
  return time === "" ? title : `${time}: ${title}`;
}
