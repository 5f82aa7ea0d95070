/** Who loses the right to send by SPF as the MX move, or as the terms go that took the place of `mx`. */
import { MailRuleError } from "../mail/errors.ts";
import type { SpfClaim } from "../mail/journal.ts";
import { sortByHolder } from "../mail/mx.ts";
import type { MxWorld } from "../mail/mx-goal.ts";
import { formatNote } from "../mail/preview-note.ts";
import {
  findLostSenders,
  type LostSender,
  selectSpf,
  suggestReplacements,
} from "../mail/spf/index.ts";
import { type ReplacedRecords, replacedRecords } from "../mail/spf-replacements.ts";
import { inputChange } from "./input-changes.ts";
import type {
  MxTakeoverInputs as Inputs,
  MxTakeoverOutputs as Outputs,
} from "./mx-takeover-schema.ts";
import type { PublicDomain } from "./public-domain.ts";
import type { Call } from "./resource.ts";

/** What the zone holds, and what the last run has brought about, where there was one. */
export interface TakeoverWorld extends MxWorld {
  readonly old: Pick<Outputs, "spfTerms" | "journal"> | undefined;
}

export interface SendingWorld extends TakeoverWorld {
  /** The TXT records at the domain's name, decoded. */
  readonly texts: readonly string[];
  /** Who needs which terms in the SPF record. Absent: the state of another resource has them. */
  readonly spfClaims?: readonly SpfClaim[];
}

/**
 * Refuses a move of the MX that takes a former host's right to send away.
 *
 * @throws MailRuleError `spf-relies-on-mx`, `spf-mx-reliance-unknown`, SpfSyntaxError
 */
export async function refuseLostSenders(
  live: PublicDomain,
  world: SendingWorld,
  inputs: Inputs,
  call: Call,
): Promise<void> {
  const { domain, resolver } = live;
  const spf = selectSpf(world.texts);
  if (spf.status !== "one") return;
  const records = replacedRecords({
    record: spf.record,
    before: world.old?.spfTerms ?? [],
    after: inputs.spfTerms ?? [],
    claims: world.spfClaims,
  });
  const { record, nextRecord } = records;
  const { present } = world;
  const { theirs } = sortByHolder(present, inputs.mx);
  const formerMx = replacementsChange(world, inputs) ? [...theirs, ...rememberedMx(world)] : theirs;
  const nextMx = inputs.mx;
  const args = { domain, record, nextRecord, formerMx, presentMx: present, nextMx, resolver };
  const lost = await findLostSenders(args);
  if (lost.length > 0) refuseOrSay(domain, lost, records, inputs, call);
}

/**
 * The same where the MX are the gateway's already, and the terms of `spf.replaceMx` let the former hosts send.
 * Whoever has accepted a loss is not held up by DNS that does not answer.
 *
 * @throws MailRuleError as `refuseLostSenders`
 */
export async function refuseLostReplacements(
  live: PublicDomain,
  world: SendingWorld,
  inputs: Inputs,
  call: Call,
): Promise<void> {
  if (!replacementsChange(world, inputs)) return;
  try {
    await refuseLostSenders(live, world, inputs, call);
  } catch (error) {
    const isUnknown = error instanceof MailRuleError && error.code === "spf-mx-reliance-unknown";
    if (!isUnknown || inputs.spfTerms === undefined) throw error;
    call.warn(formatNote("spf-senders-lost", `Accepted: ${error.problem}`));
  }
}

/** Whether `spf.replaceMx` is another than in the last run. */
export function replacementsChange({ old }: TakeoverWorld, { spfTerms }: Inputs): boolean {
  return old !== undefined && inputChange("spfTerms", old.spfTerms, spfTerms).length > 0;
}

/** The MX of before the takeover, by the journal or, where it is lost, by the state. */
function rememberedMx({ journal, old }: TakeoverWorld) {
  return (journal ?? old?.journal)?.former ?? [];
}

function refuseOrSay(
  domain: string,
  lost: readonly LostSender[],
  { record, gone }: ReplacedRecords,
  { spfTerms }: Inputs,
  call: Call,
): void {
  const names = lost.map(({ exchange, address }) => `${exchange} (${address})`).join(", ");
  const terms = gone.join(" ");
  if (spfTerms !== undefined) {
    const when = gone.length > 0 ? `without ${terms} in its SPF record` : "once its MX have moved";
    const text = `Accepted: ${names} may no longer send for ${domain} ${when}.`;
    call.warn(formatNote("spf-senders-lost", text));
    return;
  }
  const problem =
    gone.length > 0
      ? `Once ${terms} has left the record "${record}", ${names} may no longer send: the domain's MX are the gateway's.`
      : `The record "${record}" authorises the MX hosts; once the MX have moved, ${names} may no longer send.`;
  throw new MailRuleError({
    code: "spf-relies-on-mx",
    where: `SPF of ${domain}`,
    problem,
    fix: `Set spf.replaceMx of the domain to the terms that take their place, for instance [${suggestReplacements(lost).join(", ")}], or to [] if nobody sends from there.`,
    value: record,
  });
}
