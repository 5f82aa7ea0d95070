/** Carries out one step on a domain's SPF record: read, decide, write at once, see it served. */
import { MailRuleError } from "../mail/errors.ts";
import { formatSpfClaim, isJournalText, journalKind } from "../mail/journal.ts";
import { formatNote } from "../mail/preview-note.ts";
import { measureBudget, selectSpf } from "../mail/spf/index.ts";
import { hasAny, type SpfStep, type SpfWorld } from "../mail/spf-claims.ts";
import { journalRecord, readAgain } from "./apply-mx-steps.ts";
import type { Batch, NewRecord, ZoneRecord } from "./cloudflare-records.ts";
import { refuseHiddenWildcard } from "./hidden-wildcard.ts";
import {
  type LiveDomain,
  readJournal,
  readTexts,
  refuseUnwritable,
  type View,
} from "./live-domain.ts";
import type { PublicDomain, ServerAnswer } from "./public-domain.ts";
import type { Call } from "./resource.ts";
import { untilServed } from "./wait.ts";

const AUTOMATIC_TTL = 1;

/**
 * Measures what is to be written. What was measured before costs no time between the read and the write.
 */
export class MeasuredRecords {
  readonly #live: PublicDomain;
  readonly #measured = new Set<string>();

  constructor(live: PublicDomain) {
    this.#live = live;
  }

  /** @throws MailRuleError where receivers would answer permerror for the record */
  async measure(record: string): Promise<void> {
    const { domain, resolver } = this.#live;
    const { problems } = await measureBudget({ domain, record, resolver });
    const worst = problems.find(({ severity }) => severity === "error");
    if (worst !== undefined) {
      const { code, problem, fix } = worst;
      throw new MailRuleError({ code, problem, fix, where: `SPF of ${domain}`, value: record });
    }
    this.#measured.add(record);
  }

  unmeasured(step: SpfStep): string | undefined {
    const texts = [...step.patch.map(({ text }) => text), ...step.add];
    return texts.find((text) => !this.#measured.has(text));
  }
}

export interface SpfRun {
  readonly live: LiveDomain;
  readonly call: Call;
  readonly decide: (world: SpfWorld) => SpfStep | undefined;
  /** Given where the record must stay within its budget; absent for a removal. */
  readonly measured?: MeasuredRecords;
  /** Told before the first write, with what stood then. From then on something of ours may be in the zone. */
  readonly onWrite?: (view: View) => void;
}

/** Returns the zone after the step, or as it stands where nothing is to be done. */
export async function applySpfStep(run: SpfRun): Promise<View> {
  const { live, call, decide, measured, onWrite } = run;
  let view = await live.observe();
  let proven = false;
  for (let failures = 0; ; ) {
    call.signal.throwIfAborted();
    // What came to the name later, and is not to be changed, does not keep our terms in the record.
    if (measured !== undefined) refuseUnwritable(live.domain, view);
    const step = decide(spfWorld(live, view));
    if (step === undefined) return view;
    const text = measured?.unmeasured(step);
    if (text !== undefined || (step.add.length > 0 && !proven)) {
      await refuseNewRecord(live, view, step, call);
      proven = step.add.length > 0;
      if (text !== undefined) await measured?.measure(text);
      view = await live.observe();
      continue;
    }
    call.progress(step.what);
    onWrite?.(view);
    try {
      return await live.write(view, spfBatch(live, view, step));
    } catch (error) {
      view = await readAgain(live, call, error, ++failures);
    }
  }
}

export async function untilSpfServed(live: LiveDomain, call: Call, terms: readonly string[]) {
  const what = `every name server serves the SPF record with ${terms.join(" ")}`;
  await untilServed(live, call, "TXT", what, ({ answer }) =>
    answer.records.some((text) => terms.every((term) => hasAny(text, [term]))),
  );
}

export function spfWorld({ domain }: LiveDomain, view: View): SpfWorld {
  const texts = readTexts(view).map(({ id, content }) => ({ id, text: content }));
  return { domain, texts, claims: readJournal(view).spf };
}

/** A new record must neither hide a wildcard nor stand beside one that the API did not show. */
export async function refuseNewRecord(live: LiveDomain, view: View, step: SpfStep, call: Call) {
  if (step.add.length === 0) return;
  await refuseHiddenWildcard(live, view, ["A", "AAAA", "CNAME", "MX", "TXT"]);
  if (!call.preview) {
    const what = "no name server serves an SPF record, as Cloudflare's API has none";
    return untilServed(live, call, "TXT", what, servesNoSpf);
  }
  const other = (await live.askNameServers("TXT")).find((answer) => !servesNoSpf(answer));
  if (other === undefined) return;
  const text = `Cloudflare's API has no SPF record for ${live.domain}, but ${other.server.name} does not say so: the change waits until they agree.`;
  call.warn(formatNote("dns-disagrees", text));
}

function servesNoSpf({ answer: { status, records } }: ServerAnswer<"TXT">): boolean {
  return ["ok", "nodata", "nxdomain"].includes(status) && selectSpf(records).status === "none";
}

/** The zone as it would be after the step. */
export function previewSpfStep(view: View, step: SpfStep | undefined): View {
  if (step === undefined) return view;
  const changed = view.records.map((record) => {
    const patch = step.patch.find(({ id }) => id === record.id);
    return patch === undefined ? record : { ...record, content: patch.text };
  });
  return {
    records: [...changed, ...step.add.map(plannedText)],
    journal: [
      ...view.journal.filter(({ content }) => !isSpfClaim(content)),
      ...step.claims.map((claim) => plannedText(formatSpfClaim(claim).text)),
    ],
  };
}

function plannedText(content: string): ZoneRecord {
  return {
    id: "",
    name: "",
    type: "TXT",
    content,
    priority: 0,
    ttl: AUTOMATIC_TTL,
    readOnly: false,
  };
}

function spfBatch(live: LiveDomain, view: View, step: SpfStep): Batch {
  const claims = step.claims.map(formatSpfClaim);
  const present = view.journal.filter(({ content }) => isSpfClaim(content));
  const ttlOf = (id: string) => view.records.find((record) => record.id === id)?.ttl;
  const outdated = present.filter(({ content }) => !claims.some(({ text }) => text === content));
  const missing = claims.filter(({ text }) => !present.some(({ content }) => content === text));
  return {
    deletes: [...step.remove, ...outdated.map(({ id }) => id)],
    patches: step.patch.map(({ id, text }) => ({ id, ...spfRecord(live, text, ttlOf(id)) })),
    posts: [
      ...missing.map((claim) => journalRecord(live, claim)),
      ...step.add.map((text) => spfRecord(live, text)),
    ],
  };
}

function isSpfClaim(text: string): boolean {
  return isJournalText(text) && journalKind(text) === "spf";
}

function spfRecord({ domain }: LiveDomain, content: string, ttl = AUTOMATIC_TTL): NewRecord {
  return { name: domain, type: "TXT", content, ttl };
}
