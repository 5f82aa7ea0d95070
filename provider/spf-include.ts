/**
 * The resource `SpfInclude`: the gateway's terms stand in a domain's SPF record; its delete takes those
 * terms out, and only those.
 *
 * Wiring only: what becomes of the record is decided in mail/spf-claims.ts.
 */
import { spfDrift } from "../mail/dns-drift.ts";
import { MailRuleError } from "../mail/errors.ts";
import { formatClaim } from "../mail/journal.ts";
import { isNotHeld } from "../mail/mx-goal.ts";
import { insertTerms, removeTerms, selectSpf } from "../mail/spf/index.ts";
import {
  decideSpf,
  decideSpfRemoval,
  hasAny,
  type SpfGoal,
  type SpfWorld,
} from "../mail/spf-claims.ts";
import {
  applySpfStep,
  MeasuredRecords,
  previewSpfStep,
  refuseNewRecord,
  spfWorld,
  untilSpfServed,
} from "./apply-spf-step.ts";
import { newClaim } from "./claims.ts";
import { refuseLostTerm } from "./former-term.ts";
import { inputChange } from "./input-changes.ts";
import { LiveDomain, readJournal, readTexts, refuseUnwritable, type View } from "./live-domain.ts";
import { manualSpfInclude } from "./manual-spf-include.ts";
import { openOrSay, zoneStill } from "./open-domain.ts";
import { type Call, type Change, type ResourceKind, Unfinished } from "./resource.ts";
import { claimedTerms, goalOf, termsOf } from "./spf-include-goal.ts";
import { spfOutputs } from "./spf-include-outputs.ts";
import {
  type SpfIncludeInputs as Inputs,
  type SpfIncludeOutputs as Outputs,
  spfIncludeInputs,
  spfIncludeOutputs,
} from "./spf-include-schema.ts";

export const spfInclude: ResourceKind<Inputs, Outputs> = {
  type: "mxhero:index:SpfInclude",
  inputs: spfIncludeInputs,
  outputs: spfIncludeOutputs,

  diff(old, news) {
    const keys = [
      "organisation",
      "dns",
      "include",
      "alsoInclude",
      "replacements",
      "base",
      "relay",
      "unseen",
      "zoneId",
      "credential",
    ] as const;
    const changes: Change[] = keys.flatMap((key) => inputChange(key, old[key], news[key]));
    if (old.domain !== news.domain) changes.push({ path: "domain", kind: "update", replace: true });
    const served = termsOf(old).every((term) => hasAny(old.after, [term]));
    return served ? changes : [...changes, { path: "after", kind: "update" }];
  },

  async create(inputs, call) {
    if (inputs.dns === "manual") return manualSpfInclude.create(inputs, call);
    const live = await openOrSay(inputs, call, said(inputs));
    if (live === undefined) return { id: inputs.domain, outputs: {} };
    const goal = goalOf(inputs, formatClaim(newClaim(call.urn)));
    const outputs = await change(live, call, inputs, { ...goal, mayClaim: true });
    if (!call.preview) return { id: inputs.domain, outputs };
    const { claim: _, ...certain } = outputs;
    return { id: inputs.domain, outputs: certain };
  },

  async read(id, old, call) {
    if (old?.dns === "manual") return manualSpfInclude.read(old, call);
    const [domain = id, term] = id.split("/", 2);
    const live = await LiveDomain.open(call, old ?? { domain }, old?.zone);
    const view = await live.observeShared();
    if (old === undefined) return importTerms(live, view, term, call);
    const goal = goalOf(old, old.claim);
    if (readJournal(view).spf.length === 0 && !standsAnywhere(view, termsOf(old))) return undefined;
    const drift = spfDrift(
      old.domain,
      { expected: old.after, terms: termsOf(old) },
      readTexts(view),
    );
    if (drift !== undefined) call.warn(drift.text);
    const inputs = spfIncludeInputs.strip().parse(old);
    return { inputs, outputs: await outputsOf(live, view, inputs, goal, call) };
  },

  async update(_id, old, news, call) {
    refuseLostTerm(old, news, call);
    if (news.dns === "manual") return manualSpfInclude.update(old, news, call);
    const live = await openOrSay(news, call, { ...said(news), ...zoneStill(old, news) });
    if (live === undefined) return {};
    return change(live, call, news, { ...goalOf(news, old.claim), known: claimedTerms(old) });
  },

  async delete(_id, old, call) {
    if (old.dns === "manual") return manualSpfInclude.delete(old, call);
    const live = await LiveDomain.open(call, old, old.zone);
    const goal = { ...goalOf(old, old.claim), known: claimedTerms(old) };
    try {
      await applySpfStep({ live, call, decide: (world) => decideSpfRemoval(world, goal) });
    } catch (error) {
      if (!isNotHeld(error)) throw error;
      call.warn(`${error.message} The SPF record of ${old.domain} was left as it is.`);
    }
  },
};

function said(inputs: Inputs) {
  return { what: "SPF", plan: `add ${termsOf(inputs).join(" ")}` };
}

/** Create and update: brings the terms into the record, or in a preview says what that would give. */
async function change(live: LiveDomain, call: Call, inputs: Inputs, goal: SpfGoal) {
  const measured = new MeasuredRecords(live);
  if (call.preview) return preview(live, call, inputs, goal, measured);
  const expected = await expectedRecord(live, goal);
  if (expected !== undefined) await measured.measure(expected);
  let seen: View | undefined;
  const onWrite = (view: View) => {
    seen = view;
  };
  try {
    const decide = (world: SpfWorld) => decideSpf(world, goal);
    const view = await applySpfStep({ live, call, decide, measured, onWrite });
    seen = view;
    await untilSpfServed(live, call, termsOf(inputs));
    return await outputsOf(live, view, inputs, goal, call);
  } catch (error) {
    if (seen === undefined) throw error;
    const view = await live.observe().catch(() => seen ?? { records: [], journal: [] });
    const outputs = await outputsOf(live, view, inputs, goal, call);
    const why = error instanceof Error ? error.message : String(error);
    throw new Unfinished(inputs.domain, outputs, [why], { cause: error });
  }
}

async function preview(
  live: LiveDomain,
  call: Call,
  inputs: Inputs,
  goal: SpfGoal,
  measured: MeasuredRecords,
): Promise<Outputs> {
  const view = await live.observeShared();
  refuseUnwritable(live.domain, view);
  const step = decideSpf(spfWorld(live, view), goal);
  if (step !== undefined) await refuseNewRecord(live, view, step, call);
  const text = step && measured.unmeasured(step);
  if (text !== undefined) await measured.measure(text);
  const outputs = await outputsOf(live, previewSpfStep(view, step), inputs, goal, call);
  if (step !== undefined) {
    call.info(`${step.what} (${outputs.lookupsByTerm})`);
  }
  return outputs;
}

/** What the record will be by what public DNS has; measured first, so that the read and the write are close. */
async function expectedRecord(live: LiveDomain, goal: SpfGoal): Promise<string | undefined> {
  const { records } = await live.resolver(live.domain, "TXT");
  const spf = selectSpf(records);
  if (spf.status !== "one") return undefined;
  const terms = [...goal.terms, ...goal.replacements];
  const stale = goal.known.filter((term) => !terms.includes(term));
  return insertTerms(removeTerms(spf.record, stale), terms);
}

function standsAnywhere(view: View, terms: readonly string[]): boolean {
  return readTexts(view).some(({ content }) => hasAny(content, terms));
}

async function outputsOf(
  live: LiveDomain,
  view: View,
  inputs: Inputs,
  { claim }: SpfGoal,
  call: Call,
): Promise<Outputs> {
  const { id, name } = live.zone;
  const texts = readTexts(view).map(({ content }) => content);
  const claims = readJournal(view).spf;
  return {
    ...(await spfOutputs(live, { texts, claims }, inputs, claim, call)),
    zone: { id, name },
  };
}

/**
 * An import takes the terms of the one claim in the journal, or the one term that stands behind the
 * domain in the id: `contoso.test/include:_spf.gateway.test`.
 */
async function importTerms(live: LiveDomain, view: View, term: string | undefined, call: Call) {
  const { domain } = live;
  const [entry, ...others] = readJournal(view).spf;
  const terms = term === undefined ? entry?.terms : [term];
  if (terms === undefined || others.length > 0 || !standsAnywhere(view, terms)) {
    throw new MailRuleError({
      code: "import-without-term",
      where: `SPF of ${domain}`,
      problem: `There is no one term to import: the journal has ${others.length + (entry ? 1 : 0)} claims, and the id names ${term ?? "none"}.`,
      fix: `Import "${domain}/include:<the gateway's SPF domain>", as it stands in the record.`,
      value: domain,
    });
  }
  const include = terms.find((text) => text.startsWith("include:"))?.slice("include:".length);
  const replacements = terms.filter((text) => text !== `include:${include}`);
  const inputs = spfIncludeInputs.parse({
    organisation: entry?.holder ?? "unknown",
    domain,
    ...(include !== undefined && { include }),
    ...(replacements.length > 0 && { replacements }),
  });
  const claim = entry?.claim ?? newClaim(call.urn);
  const goal = goalOf(inputs, formatClaim(claim));
  return { id: domain, inputs, outputs: await outputsOf(live, view, inputs, goal, call) };
}
