/** What must hold before a domain's former MX are put back: their hosts take mail from everyone, and senders accept them. */
import { MailRuleError } from "../mail/errors.ts";
import { foresee } from "../mail/foresee.ts";
import { mxToProve } from "../mail/hand-back-proof.ts";
import type { MxGoal, MxStep, MxWorld } from "../mail/mx-goal.ts";
import { refuseNotAdmitted } from "./mta-sts.ts";
import type { MxTakeoverInputs } from "./mx-takeover-schema.ts";
import { proveHandBack } from "./prove-hand-back.ts";
import type { PublicDomain } from "./public-domain.ts";
import type { Call } from "./resource.ts";

export interface HandBackRun {
  readonly live: PublicDomain;
  readonly world: MxWorld;
  readonly goal: MxGoal;
  readonly inputs: MxTakeoverInputs;
  /** Decides the steps of the hand-back. */
  readonly next: (world: MxWorld) => MxStep | undefined;
  readonly call: Call;
}

/**
 * @returns whether time has passed, so that the zone is to be read again
 * @throws MailRuleError as `proveHandBack` does
 */
export function refuseUnproven(run: HandBackRun): Promise<boolean> {
  const { live, world, goal, inputs, next, call } = run;
  const { domain, mx, probeRecipient, handBackConfirmed, gatewayHosts } = inputs;
  const levels = mxToProve(world, foresee(world, next), goal);
  const gateway = [...mx.map(({ exchange }) => exchange), ...gatewayHosts];
  const { resolver } = live;
  return proveHandBack(
    { domain, levels, probeRecipient, handBackConfirmed, resolver, gatewayHosts: gateway },
    call,
  );
}

/** For a bypass, the way out in an emergency: here it is enough that nothing shows that mail would be refused. */
export async function refuseClosed(run: HandBackRun): Promise<void> {
  try {
    await refuseUnproven(run);
  } catch (error) {
    if (!(error instanceof MailRuleError) || error.code !== "hand-back-not-proven") throw error;
    run.call.warn(`${error.where}: ${error.problem}The gateway is bypassed all the same.`);
  }
}

/** Senders knew these MX before: a policy that nobody can read now is no reason to stay on the gateway. */
export async function refuseHandBack(
  { resolver, domain }: PublicDomain,
  exchanges: readonly string[],
  call: Call,
): Promise<void> {
  try {
    await refuseNotAdmitted(resolver, domain, exchanges);
  } catch (error) {
    if (!(error instanceof MailRuleError) || error.code === "mta-sts-not-admitted") throw error;
    call.warn(`${error.where}: ${error.problem} The MX are put back all the same.`);
  }
}
