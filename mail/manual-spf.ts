/** The change of a domain's SPF record that a person makes, from the step that is decided in mail/spf-claims.ts. */
import type { DnsChange } from "./dns-change.ts";
import type { SpfStep, SpfText, SpfWorld } from "./spf-claims.ts";
import { txtLine } from "./zone-file.ts";

/** The TTL that is proposed for a record without one, in seconds: Cloudflare's "automatic". */
const DEFAULT_TTL = 300;

/** TXT records as name servers answer them. */
export function asSpfTexts(served: readonly string[]): SpfText[] {
  return served.map((text, index) => ({ id: String(index), text }));
}

/**
 * A record is replaced in one change: two SPF records are a permerror at every receiver (RFC 7208,
 * section 4.5), and none is no protection.
 *
 * @returns undefined where the step changes claims only
 */
export function spfChange({ domain, texts }: SpfWorld, step: SpfStep): DnsChange | undefined {
  const gone = new Set([...step.remove, ...step.patch.map(({ id }) => id)]);
  const remove = texts.filter(({ id }) => gone.has(id)).map(({ text }) => txtLine(domain, text));
  const added = [...step.patch.map(({ text }) => text), ...step.add];
  const add = added.map((text) => txtLine(domain, text, DEFAULT_TTL));
  if (add.length + remove.length === 0) return undefined;
  return { domain, what: "SPF", add, remove, mayGo: [], overlapSeconds: 0 };
}

/** The TXT records after the step. */
export function textsAfter({ texts }: SpfWorld, step: SpfStep | undefined): readonly string[] {
  if (step === undefined) return texts.map(({ text }) => text);
  const kept = texts.filter(({ id }) => !step.remove.includes(id));
  const changed = kept.map((one) => step.patch.find(({ id }) => id === one.id) ?? one);
  return [...changed.map(({ text }) => text), ...step.add];
}
