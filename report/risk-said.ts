/** The risks that the provider tells of in a preview, and in refusals. docs/report.md explains them. */
import { type NoteId, subdomainOf } from "../mail/preview-note.ts";
import { type Finder, risk } from "./risk.ts";
import type { RiskLevel } from "./risk-ids.ts";
import { faultsOf, notesOf, unreadOf, warningsOf } from "./said.ts";
import type { Risk } from "./stack-report.ts";

/** What exactly it is stands with the refusal. */
const mtaStsFirst: Finder = ({ domain }) => {
  const isRefused = faultsOf(domain.said).some(({ code }) => code?.startsWith("mta-sts-") === true);
  if (!isRefused) return [];
  return [
    risk(
      "mta-sts-first",
      "high",
      "The domain's MTA-STS policy does not admit the new MX, or cannot be read: Google, Microsoft and others would not deliver.",
      "Change the policy before the MX move, as the refusal says; senders keep the old one for as long as its max_age.",
    ),
  ];
};

const NOTES: Readonly<
  Record<Exclude<NoteId, "not-read">, { readonly level: RiskLevel; readonly fix: string }>
> = {
  "dns-disagrees": {
    level: "medium",
    fix: "Wait until all name servers answer the same; the run waits, too, and stops if it lasts.",
  },
  "server-not-recommended": {
    level: "low",
    fix: "Compare the two, and correct server if the recommended one is meant.",
  },
  "spf-senders-lost": {
    level: "high",
    fix: "See that nothing sends from these hosts, or name their terms in spf.replaceMx.",
  },
  "spf-faulty": {
    level: "high",
    fix: "Mend the SPF record: receivers may reject all mail of the domain.",
  },
  "someone-still-sends": {
    level: "medium",
    fix: "Do first what the text says: the run waits for it, then stops.",
  },
  "way-out-waits": {
    level: "medium",
    fix: "Merge, and run up once more after that: until then mail leaves as before.",
  },
  "slot-left-out": {
    level: "medium",
    fix: "Take the slot out of the gateway's DNS, or mend it and delete excludeSlots.",
  },
  "no-rcpt-lookup": {
    level: "medium",
    fix: "Write rcptLookup: true, or the list of recipients.",
  },
  "subdomain-mx": {
    level: "medium",
    fix: "Add the name to the stack's file as a domain, if its mail is to come through the gateway, too.",
  },
};

export function noteRisk(id: keyof typeof NOTES, text: string): Risk {
  const { level, fix } = NOTES[id];
  return risk(id, level, text, fix);
}

/** What it is stands in the report by itself. */
export const NOT_READ = risk(
  "not-read",
  "high",
  "Something that this change depends on could not be read, so nobody has checked whether it is safe.",
  "Give the preview what it lacks, and preview again. Do not merge before.",
);

const notRead: Finder = ({ domain }) => (unreadOf(domain.said).length === 0 ? [] : [NOT_READ]);

/** Sub-domains that the stack has itself are not left behind. */
const noted: Finder = ({ domain, ownDomains }) =>
  notesOf(domain.said)
    .filter((note) => note.id !== "subdomain-mx" || !ownDomains.has(subdomainOf(note)))
    .flatMap(({ id, text }) => (id === "not-read" ? [] : [noteRisk(id, text)]));

const warned: Finder = ({ domain }) =>
  warningsOf(domain.said).map((text) =>
    risk("warned", "medium", text, "Read it before you merge."),
  );

export const SAID_FINDERS: readonly Finder[] = [notRead, noted, mtaStsFirst, warned];
