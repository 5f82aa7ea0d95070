/** Waiting for the slots of a gateway: what is waited for, how long, and what is said of those that lag. */
import { MailRuleError } from "../mail/errors.ts";
import type { ProofStep, RouteProof, SlotAnswer, SlotReport } from "../mail/route.ts";
import type { Progress, RouteStep } from "../mail/route-steps.ts";
import type { RouteStore } from "../store/route-store.ts";
import type { Call } from "./resource.ts";
import { formatSeconds, sleepFor } from "./wait.ts";

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 2_000;
const REPORT_EVERY_MS = 10_000;

type SlotStep = Extract<RouteStep, { kind: "prove" | "acknowledge" }>;

/** What each wait is for, in words. */
const DONE = { prove: "proven", acknowledge: "acknowledged" } as const;

/** The waits of one run. Each has the bound of the settings. */
export class SlotWaits {
  readonly #store: RouteStore;
  readonly #domain: string;
  readonly #call: Call;
  #what = "";
  #start = 0;
  #pause = FIRST_PAUSE_MS;
  #reported = Number.NEGATIVE_INFINITY;
  #told = "";

  constructor(store: RouteStore, domain: string, call: Call) {
    this.#store = store;
    this.#domain = domain;
    this.#call = call;
  }

  /**
   * Lets some time pass before the store is looked at again.
   *
   * @throws MailRuleError `slots-lag` when the bound has passed, naming the slots
   */
  async pass(step: SlotStep, answers: readonly SlotAnswer[]): Promise<void> {
    this.#begin(step);
    const { waitSeconds } = this.#call.settings;
    const elapsed = Date.now() - this.#start;
    if (elapsed >= waitSeconds * 1_000) {
      throw await this.#lagging(step, answers);
    }
    this.#tell(step, elapsed, waitSeconds);
    await sleepFor(this.#pause, this.#call);
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE_MS);
  }

  #begin(step: SlotStep): void {
    const what = `${step.kind} ${step.kind === "prove" ? step.version : step.revision}`;
    if (what === this.#what) return;
    this.#what = what;
    this.#start = Date.now();
    this.#pause = FIRST_PAUSE_MS;
    this.#reported = Number.NEGATIVE_INFINITY;
  }

  #tell(step: SlotStep, elapsed: number, waitSeconds: number): void {
    const state = `${describeProgress(step)} ${DONE[step.kind]} the route of ${this.#domain}, not yet ${step.pending.join(", ")}`;
    if (state === this.#told && elapsed - this.#reported < REPORT_EVERY_MS) return;
    const bound = `waited ${formatSeconds(elapsed / 1_000)} of at most ${formatSeconds(waitSeconds)}`;
    this.#call.progress(`${state}; ${bound}`);
    this.#told = state;
    this.#reported = elapsed;
  }

  async #lagging(step: SlotStep, answers: readonly SlotAnswer[]): Promise<MailRuleError> {
    const reports = await this.#store.reports();
    const { pending } = step;
    const details = pending.map((slot) => `${slot} ${describeLag(slot, step, answers, reports)}`);
    return new MailRuleError({
      code: "slots-lag",
      where: `Route of ${this.#domain}`,
      value: pending.join(", "),
      problem: `After ${formatSeconds(this.#call.settings.waitSeconds)} only ${describeProgress(step)} ${DONE[step.kind]} it: ${details.join("; ")}.`,
      fix: `Look at the slot, or, if it is dead, leave it out in so many words (excludeSlots: [${pending.join(", ")}]); then run pulumi up again: it goes on from here.`,
    });
  }
}

function describeProgress({ done, pending }: Progress): string {
  const all = done.length + pending.length;
  return `${done.length} of ${all} ${all === 1 ? "slots has" : "slots have"}`;
}

function describeLag(
  slot: string,
  step: SlotStep,
  answers: readonly SlotAnswer[],
  reports: readonly SlotReport[],
): string {
  const proof = answers.find((answer) => answer.slot === slot)?.proof;
  if (step.kind === "prove" && proof?.version === step.version) {
    return `still tries (${proof.steps.map(describeStep).join(", ")})`;
  }
  const report = reports.find((one) => one.slot === slot);
  if (report === undefined) return "has never been heard of";
  const faults = report.faults.length === 0 ? "" : `: ${report.faults.join(", ")}`;
  return `was last heard of at ${report.heartbeat}${faults}`;
}

/** The error for a version that slots could not prove, with what was said. */
export function proofRefused(
  domain: string,
  proofs: ReadonlyMap<string, RouteProof>,
  isServed: boolean,
): MailRuleError {
  const dialogues = [...proofs].map(
    ([slot, { steps }]) =>
      `Slot ${slot}:\n${steps.map((step) => `  ${describeStep(step)}`).join("\n")}`,
  );
  const [code] = [...proofs.values()].flatMap((proof) => proof.code ?? []);
  const meanwhile = isServed ? "The former version goes on serving." : "Nothing serves yet.";
  return new MailRuleError({
    code: code ?? "route-not-proven",
    where: `Route of ${domain}`,
    value: [...proofs.keys()].join(", "),
    problem: `The gateway tried the new route and it does not work. ${dialogues.join("\n")}\n${meanwhile}`,
    fix: "Correct the route or the mail system, then run pulumi up again: the slots try it again.",
  });
}

function describeStep({ action, outcome }: ProofStep): string {
  return `${action} → ${outcome}`;
}
