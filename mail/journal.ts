/**
 * The journal: what a domain's records were before the takeover, and who holds the domain.
 *
 * It lies in DNS, in TXT records of the domain's own zone, so that whoever finds a half-done takeover
 * can restore the domain from DNS alone. It never lists gateway hosts. One record says who holds the
 * MX and how far the work is; one record stands for each former MX (and carries its Cloudflare comment
 * and tags as its own, since those are not for the public); one record stands for each claim on SPF.
 *
 *     v=mxhero1 kind=mx holder=contoso phase=held revision=1 claims=9f86d081.a3c1f2e4 server=2c26b46b former=1
 *     v=mxhero1 kind=was mx="10 mail.contoso.test." ttl=3600
 *     v=mxhero1 kind=spf holder=contoso claim=60303ae2.77de68da terms="include:_spf.gateway.test"
 */
import type { MxRecord } from "./dns.ts";
import { isWithin } from "./domain-name.ts";
import { MailRuleError } from "./errors.ts";
import { formatMx, sortMx } from "./mx.ts";

const VERSION = "v=mxhero1";
const FIELD = /([a-z0-9]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g;

/**
 * How far the work is. It changes in the same transaction as the records that it speaks of.
 *
 * - `taking`: the former MX still stand; the gateway's may stand beside them.
 * - `held`: the former MX were removed.
 * - `returning`: they were put back; the gateway's may stand beside them.
 * - `bypassed`: they were put back and the gateway's removed, while the domain stays a tenant's.
 */
export const PHASES = ["taking", "held", "returning", "bypassed"] as const;
export type Phase = (typeof PHASES)[number];

/** An MX record to put back. */
export interface FormerMx extends MxRecord {
  readonly ttl: number;
  /** Kept as the comment and the tags of the journal's record, not in its text. */
  readonly comment?: string;
  readonly tags?: readonly string[];
}

/** The same records with the same TTLs. */
export function sameFormerMx(a: readonly FormerMx[], b: readonly FormerMx[]): boolean {
  const format = (set: readonly FormerMx[]) => set.map(formatFormer).toSorted().join();
  return format(a) === format(b);
}

/**
 * Who may hand back: the resource (a hash of its first URN) and the generation of its create. A
 * resource that was renamed or moved leaves its successor's claim, so that its delete changes nothing.
 */
export interface Claim {
  readonly resource: string;
  readonly generation: string;
}

export interface MxJournal {
  /** The organisation. */
  readonly holder: string;
  readonly phase: Phase;
  readonly claims: readonly Claim[];
  /** Counts up with every change of `former`, so that a copy in the state is known to be older. From 1. */
  readonly revision: number;
  /** Fingerprint of the Server at the time of the takeover: another one means that `former` may be dead. */
  readonly server: string;
  readonly former: readonly FormerMx[];
  /** The wildcard name whose MX the domain inherited; `former` holds copies of them. */
  readonly inherited?: string;
}

export interface SpfClaim {
  readonly holder: string;
  readonly claim: Claim;
  /** The terms that this claim needs in the record, and that go with the last claim on them. */
  readonly terms: readonly string[];
  /** What the record was created from, where there was none before. */
  readonly base?: string;
}

/** A TXT record of the journal as the zone holds it. */
export interface JournalRecord {
  readonly id: string;
  /** Decoded. */
  readonly text: string;
  readonly comment?: string;
  readonly tags?: readonly string[];
}

export interface Journal {
  readonly mx?: MxJournal;
  readonly spf: readonly SpfClaim[];
}

/** A record that the journal is to have. */
export type JournalText = Omit<JournalRecord, "id">;

/** `_mxhero.<apex>`, or `<labels>._mxhero.<apex>` below it: never under the domain, which would hide a wildcard. */
export function journalName(domain: string, apex: string): string {
  if (domain === apex) return `_mxhero.${apex}`;
  if (!isWithin(domain, apex)) {
    throw new MailRuleError({
      code: "domain-outside-zone",
      problem: `The domain ${domain} does not lie in the zone ${apex}.`,
      fix: `Give the identifier of the zone that holds ${domain}, or leave zoneId out.`,
      value: domain,
    });
  }
  return `${domain.slice(0, -apex.length - 1)}._mxhero.${apex}`;
}

export function formatClaim({ resource, generation }: Claim): string {
  return `${resource}.${generation}`;
}

export function parseClaim(text: string): Claim {
  const [resource, generation, ...rest] = text.split(".");
  if (!resource || !generation || rest.length > 0) throw damaged(text, "a claim is <hash>.<hash>");
  return { resource, generation };
}

export function includesClaim(claims: readonly Claim[], { resource, generation }: Claim): boolean {
  return claims.some((c) => c.resource === resource && c.generation === generation);
}

/** The claims with this one, in the place of an earlier generation of the same resource. */
export function withClaim(claims: readonly Claim[], claim: Claim): Claim[] {
  return [...claims.filter(({ resource }) => resource !== claim.resource), claim];
}

export function withoutClaim(claims: readonly Claim[], claim: Claim): Claim[] {
  return claims.filter((other) => formatClaim(other) !== formatClaim(claim));
}

export function formatMxJournal(journal: MxJournal): JournalText[] {
  const { holder, phase, revision, claims, server, former, inherited } = journal;
  const head = [
    `${VERSION} kind=mx holder=${holder} phase=${phase} revision=${revision}`,
    `claims=${claims.map(formatClaim).join(",")} server=${server} former=${former.length}`,
    ...(inherited === undefined ? [] : [`inherited=${inherited}`]),
  ].join(" ");
  const was = sortMx(former).map((mx) => ({
    text: formatFormer(mx),
    ...(mx.comment !== undefined && { comment: mx.comment }),
    ...(mx.tags !== undefined && { tags: mx.tags }),
  }));
  return [{ text: head, comment: "pulumi-mxhero: the MX to put back. Do not edit." }, ...was];
}

function formatFormer(mx: FormerMx): string {
  return `${VERSION} kind=was mx="${formatMx(mx)}" ttl=${mx.ttl}`;
}

export function formatSpfClaim({ holder, claim, terms, base }: SpfClaim): JournalText {
  const text = [
    `${VERSION} kind=spf holder=${holder} claim=${formatClaim(claim)} terms=${quote(terms.join(" "))}`,
    ...(base === undefined ? [] : [`base=${quote(base)}`]),
  ].join(" ");
  return { text, comment: "pulumi-mxhero: who needs the gateway in SPF. Do not edit." };
}

/** Whether a TXT record belongs to the journal at all, also to one of a later version. */
export function isJournalText(text: string): boolean {
  return /^v=mxhero\d/.test(text);
}

/** The kind of a journal record: the MX journal has `mx` and `was`, SPF has `spf`. */
export function journalKind(text: string): string | undefined {
  return parseFields(text).get("kind");
}

/**
 * Reads the journal. Other TXT records at its name are passed over.
 *
 * @throws MailRuleError `journal-damaged` where the records do not make one journal
 */
export function parseJournal(records: readonly JournalRecord[]): Journal {
  const own = records.filter(({ text }) => isJournalText(text));
  const heads: Map<string, string>[] = [];
  const former: FormerMx[] = [];
  const spf: SpfClaim[] = [];
  for (const record of own) {
    const fields = parseFields(record.text);
    if (!record.text.startsWith(`${VERSION} `)) throw damaged(record.text, "unknown version");
    const kind = fields.get("kind");
    if (kind === "mx") heads.push(fields);
    else if (kind === "was") former.push(parseFormer(fields, record));
    else if (kind === "spf") spf.push(parseSpfClaim(fields));
    else throw damaged(record.text, `the kind ${kind ?? "(none)"} is not known`);
  }
  const [head, ...others] = heads;
  if (others.length > 0) throw damaged(own.map(({ text }) => text).join(" | "), "two MX journals");
  if (head === undefined) {
    if (former.length > 0) throw damaged("kind=was", "former MX stand without the record kind=mx");
    return { spf };
  }
  return { mx: parseMxJournal(head, former), spf };
}

function parseMxJournal(head: Map<string, string>, former: FormerMx[]): MxJournal {
  const phase = PHASES.find((name) => name === head.get("phase"));
  if (phase === undefined) throw damaged(head.get("phase") ?? "", "the phase is not known");
  if (head.get("former") !== String(former.length)) {
    const count = `it announces ${head.get("former")} former MX and holds ${former.length}`;
    throw damaged(former.map(formatMx).join(", "), count);
  }
  const inherited = head.get("inherited");
  const claims = required(head, "claims").split(",");
  return {
    holder: required(head, "holder"),
    phase,
    revision: parseCount(head, "revision"),
    claims: claims.map(parseClaim),
    server: required(head, "server"),
    former: sortMx(former),
    ...(inherited !== undefined && { inherited }),
  };
}

function parseFormer(fields: Map<string, string>, { comment, tags }: JournalRecord): FormerMx {
  const mx = /^(\d{1,5}) (\S*)\.$/.exec(required(fields, "mx"));
  if (mx?.[2] === undefined) throw damaged(fields.get("mx") ?? "", "not an MX record");
  return {
    preference: Number(mx[1]),
    exchange: mx[2],
    ttl: parseCount(fields, "ttl"),
    ...(comment !== undefined && comment !== "" && { comment }),
    ...(tags !== undefined && tags.length > 0 && { tags }),
  };
}

function parseSpfClaim(fields: Map<string, string>): SpfClaim {
  const base = fields.get("base");
  return {
    holder: required(fields, "holder"),
    claim: parseClaim(required(fields, "claim")),
    terms: required(fields, "terms").split(" ").filter(Boolean),
    ...(base !== undefined && { base }),
  };
}

/** SPF terms may hold quotes and backslashes (RFC 7208, section 7.1). */
function quote(text: string): string {
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function parseFields(text: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const [, key, quoted, plain] of text.matchAll(FIELD)) {
    if (key !== undefined) fields.set(key, quoted?.replace(/\\(.)/g, "$1") ?? plain ?? "");
  }
  return fields;
}

function parseCount(fields: Map<string, string>, key: string): number {
  const text = required(fields, key);
  if (!/^[1-9]\d{0,8}$/.test(text)) throw damaged(text, `${key}= is not a number from 1`);
  return Number(text);
}

function required(fields: Map<string, string>, key: string): string {
  const value = fields.get(key);
  if (value === undefined) throw damaged([...fields].join(" "), `${key}= is missing`);
  return value;
}

function damaged(value: string, why: string): MailRuleError {
  return new MailRuleError({
    code: "journal-damaged",
    problem: `The journal in DNS cannot be trusted: ${why} (${JSON.stringify(value)}).`,
    fix: "Compare it with the state (pulumi stack export), correct the TXT records under _mxhero by hand, and run again.",
    value,
  });
}
