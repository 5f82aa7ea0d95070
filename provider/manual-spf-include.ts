/**
 * `SpfInclude` where a person changes the record (`dns: manual`): public DNS is read on every delegated
 * name server, and a run stops at the change that is needed.
 *
 * Wiring only: what becomes of the record is decided in mail/spf-claims.ts. The claim lies in the state.
 */
import { type DnsChange, describeDnsChange, dnsChangeNeeded } from "../mail/dns-change.ts";
import { formatClaim, parseClaim, type SpfClaim } from "../mail/journal.ts";
import { asSpfTexts, spfChange, textsAfter } from "../mail/manual-spf.ts";
import {
  decideSpf,
  decideSpfRemoval,
  type SpfGoal,
  type SpfStep,
  type SpfWorld,
} from "../mail/spf-claims.ts";
import { MeasuredRecords } from "./apply-spf-step.ts";
import { newClaim } from "./claims.ts";
import { refuseInherited } from "./inherited.ts";
import { PublicDomain, refuseAlias } from "./public-domain.ts";
import { type Call, Unfinished } from "./resource.ts";
import { servedAlike } from "./served-records.ts";
import { claimedTerms, goalOf } from "./spf-include-goal.ts";
import { spfOutputs } from "./spf-include-outputs.ts";
import {
  type SpfIncludeInputs as Inputs,
  type SpfIncludeOutputs as Outputs,
  spfIncludeInputs,
} from "./spf-include-schema.ts";

export const manualSpfInclude = {
  async create(inputs: Inputs, call: Call) {
    const goal = { ...goalOf(inputs, formatClaim(newClaim(call.urn))), mayClaim: true };
    const outputs = await change(inputs, goal, undefined, call);
    if (!call.preview) return { id: inputs.domain, outputs };
    const { claim: _, ...certain } = outputs;
    return { id: inputs.domain, outputs: certain };
  },

  async read(old: Outputs, call: Call) {
    const live = await PublicDomain.find(call.settings, old.domain);
    const texts = await servedAlike(live, call, "TXT", false);
    const inputs = spfIncludeInputs.strip().parse(old);
    const claims = [claimOf(old)];
    const outputs = await spfOutputs(live, { texts, claims }, inputs, parseClaim(old.claim), call);
    return { inputs, outputs };
  },

  update(old: Outputs, news: Inputs, call: Call): Promise<Outputs> {
    return change(news, { ...goalOf(news, old.claim), known: claimedTerms(old) }, old, call);
  },

  async delete(old: Outputs, call: Call): Promise<void> {
    const live = await PublicDomain.find(call.settings, old.domain);
    const world = await observe(live, old, call);
    const step = decideSpfRemoval(world, {
      ...goalOf(old, old.claim),
      known: claimedTerms(old),
    });
    const needed = step && spfChange(world, step);
    if (needed !== undefined) throw dnsChangeNeeded(needed);
  },
};

/** Create and update: ends where the terms are in the record, or at the change that a person must make. */
async function change(
  inputs: Inputs,
  goal: SpfGoal,
  old: Outputs | undefined,
  call: Call,
): Promise<Outputs> {
  const live = await PublicDomain.find(call.settings, inputs.domain);
  await refuseAlias(live);
  const world = await observe(live, old, call);
  const step = decideSpf(world, goal);
  const needed = step && spfChange(world, step);
  if (step !== undefined && needed !== undefined) await refuseRecord(live, step);
  const claims = step?.claims ?? world.claims;
  const shown = call.preview ? step : undefined;
  const seen = { texts: textsAfter(world, shown), claims };
  const outputs = await spfOutputs(live, seen, inputs, goal.claim, call);
  if (needed === undefined) return outputs;
  if (!call.preview) throw unfinished(inputs.domain, outputs, needed);
  call.info(`${step?.what} (${outputs.lookupsByTerm})`);
  call.info(describeDnsChange(needed));
  return outputs;
}

function unfinished(domain: string, outputs: Outputs, needed: DnsChange): Unfinished<Outputs> {
  const stop = dnsChangeNeeded(needed);
  return new Unfinished(domain, outputs, [stop.message], { cause: stop });
}

async function observe(
  live: PublicDomain,
  old: Outputs | undefined,
  call: Call,
): Promise<SpfWorld> {
  const served = await servedAlike(live, call, "TXT", !call.preview);
  const claims = old === undefined ? [] : [claimOf(old)];
  return { domain: live.domain, texts: asSpfTexts(served), claims };
}

/** The claim, as the state remembers it. There was no record where nothing is to be left. */
function claimOf(old: Outputs): SpfClaim {
  const { organisation: holder, claim, before, base } = old;
  const terms = claimedTerms(old);
  const created = before === "" && base !== undefined;
  return { holder, claim: parseClaim(claim), terms, ...(created && { base }) };
}

/** Neither over its budget, nor the first record at a name that a wildcard answers for. */
async function refuseRecord(live: PublicDomain, step: SpfStep): Promise<void> {
  const measured = new MeasuredRecords(live);
  for (const text of [...step.patch.map((patch) => patch.text), ...step.add]) {
    await measured.measure(text);
  }
  if (step.add.length > 0) await refuseInherited(live, ["A", "AAAA", "MX", "TXT"]);
}
