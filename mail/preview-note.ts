/**
 * What a preview says of a domain beside its values: a sentence for people, with an id behind it by which the report
 * knows it. Both sides of that are here. docs/report.md explains each id.
 */

/** An id never changes. */
export const NOTE_IDS = [
  /** Something could not be read, so that nobody knows whether the change is safe. */
  "not-read",
  /** The name servers do not answer what they should before a change may begin. */
  "dns-disagrees",
  "server-not-recommended",
  "spf-senders-lost",
  "spf-faulty",
  "someone-still-sends",
  "way-out-waits",
  "slot-left-out",
  "no-rcpt-lookup",
  "subdomain-mx",
] as const;
export type NoteId = (typeof NOTE_IDS)[number];

export interface Note {
  readonly id: NoteId;
  readonly text: string;
}

/** `<text> (<id>)`, as refusals show their codes. */
export function formatNote(id: NoteId, text: string): string {
  return `${text} (${id})`;
}

/** `undefined` where no note's id stands at the end. */
export function parseNote(line: string): Note | undefined {
  const trimmed = line.trimEnd();
  const id = NOTE_IDS.find((each) => trimmed.endsWith(` (${each})`));
  return id && { id, text: trimmed.slice(0, -` (${id})`.length) };
}

/** For `subdomain-mx`. @param mx in words */
export function subdomainText(name: string, mx: string): string {
  return `${name} keeps the former MX (${mx}): mail to it does not pass the gateway.`;
}

/** The name that such a text is about. */
export function subdomainOf({ text }: Note): string {
  return text.slice(0, Math.max(0, text.indexOf(" ")));
}
