/** What a person must do for what happens to a domain, in order. The steps themselves come from mail/steps/. */
import { BYPASS_TOO, UNTIMED } from "../mail/steps/words.ts";
import { opOf } from "./domain-change.ts";
import type { KeptValues } from "./kept-values.ts";
import type { MailDomain } from "./mail-domain.ts";
import { flowOf, isHandedOver } from "./mail-flow.ts";
import type { ChangeKind } from "./stack-report.ts";

type Lines = readonly string[];

/** Each is its lines: the title, then what to do, with the indentation of mail/steps/step.ts. */
export function stepsOf(domain: MailDomain, kinds: readonly ChangeKind[]): string[][] {
  const { old, new: next } = domain;
  const [kind] = kinds;
  if (kind === "onboard") return worded(onboardingOf(next), "the run");
  if (kind === "offboard") return worded(offboardingOf(old), "it leaves");
  if (kind === "unknown" || kind === "unchanged") return [];
  const isNew = notAmong(onboardingOf(old));
  const steps = [
    ...(kinds.includes("bypass") ? forBypass(offboardingOf(old)) : []),
    ...onboardingOf(next).filter(isNew),
    ...(kinds.includes("direction") && leavesWay(domain)
      ? offboardingOf(old).filter(notAmong(offboardingOf(next)))
      : []),
  ];
  return worded(steps, "the run");
}

/** Mail in one direction, or all, no longer takes the way to the gateway that it had. */
function leavesWay(domain: MailDomain): boolean {
  const { old, new: next } = domain;
  if (opOf(domain, "mx") === "delete" || opOf(domain, "drain") === "delete") return true;
  if (isHandedOver(old) && !isHandedOver(next)) return true;
  return flowOf({ old, next }, "outbound").ends;
}

/** Those that say that they are for a bypass, too, without saying so. */
function forBypass(steps: readonly Lines[]): Lines[] {
  return steps
    .filter((lines) => lines.some((line) => line.includes(BYPASS_TOO)))
    .map((lines) => lines.filter((line) => !line.includes(BYPASS_TOO)));
}

/** The step that waits for a time stands there without it. */
function onboardingOf({ component }: KeptValues): Lines[] {
  const { onboarding = [], untimed = [] } = component?.steps ?? {};
  return onboarding.map((step) => (typeof step === "string" ? untimed : step));
}

function offboardingOf({ component }: KeptValues): Lines[] {
  return (component?.steps?.offboarding ?? []).filter((step) => typeof step !== "string");
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
function worded(steps: readonly Lines[], end: string): string[][] {
  return steps
    .filter((lines) => lines.length > 0)
    .map(([first = "", ...rest]) => {
      const { when, title } = titleOf(first);
      return [headline(when, title, end), ...rest];
    });
}

const RUNS: Readonly<Record<string, string>> = {
  "run pulumi up": "Then let the run do its part: merge this change (by hand: pulumi up)",
  "run pulumi destroy": "Then let the run take it off the gateway",
};

/** @param end what the steps before `pulumi destroy` come before */
function headline(when: string, title: string, end: string): string {
  const run = RUNS[title];
  if (run !== undefined) return run;
  const time = when
    .replace(UNTIMED, "the time that npm run steps tells then")
    .replace("Before pulumi up", "Before the run")
    .replace("After pulumi up", "After the run")
    .replace("Before pulumi destroy", `Before ${end}`)
    .replace(/after pulumi destroy$/, "after it has left");
  return time === "" ? title : `${time}: ${title}`;
}
