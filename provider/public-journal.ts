/** The journal of a domain as public DNS shows it, where a stack with an account had the domain before. */
import { isJournalText, type Journal, journalName, parseJournal } from "../mail/journal.ts";
import { unanswered } from "./dns.ts";
import type { PublicDomain } from "./public-domain.ts";
import type { Call } from "./resource.ts";

/** Without the comments and tags, which are not public. @throws MailRuleError `journal-damaged`, `dns-…` */
export async function readPublicJournal(live: PublicDomain): Promise<Journal> {
  const { domain, apex, resolver } = live;
  const name = journalName(domain, apex);
  const { status, records } = await resolver(name, "TXT");
  if (status === "servfail" || status === "timeout") throw unanswered(name, "TXT", status);
  return parseJournal(records.map((text, index) => ({ id: String(index), text })));
}

/** Nobody reads it where a person changes the records, and it grows old. */
export async function sayJournalLeft(live: PublicDomain, call: Call): Promise<void> {
  const name = journalName(live.domain, live.apex);
  const { records } = await live.resolver(name, "TXT");
  if (!records.some(isJournalText)) return;
  call.warn(
    `The TXT records at ${name} that begin with v=mxhero1 are from the time when the zone's records were changed by its API. With dns: manual nobody reads them: delete them.`,
  );
}
