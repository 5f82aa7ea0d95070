/** What all delegated name servers of a domain answer alike: the only look at a zone without an account. */
import type { DnsValue } from "../mail/dns.ts";
import { MailRuleError } from "../mail/errors.ts";
import { formatMxSet } from "../mail/mx.ts";
import { formatNote } from "../mail/preview-note.ts";
import { selectSpf } from "../mail/spf/index.ts";
import { unanswered } from "./dns.ts";
import { type PublicDomain, proven, type ServerAnswer } from "./public-domain.ts";
import type { Call } from "./resource.ts";
import { formatSeconds, waitUntil } from "./wait.ts";

type Served = Pick<DnsValue, "MX" | "TXT">;
type Type = keyof Served;

/** What of the records matters, in words: two servers agree where these are the same. */
const shown: { [T in Type]: (records: readonly Served[T][]) => string } = {
  MX: formatMxSet,
  TXT: (texts) => {
    const spf = selectSpf(texts);
    if (spf.status === "none") return "no SPF record";
    return (spf.status === "one" ? [spf.record] : spf.records.toSorted()).join(" and ");
  },
};

/**
 * The records, once every name server answers the same. Without `wait`, as in a preview, what the first
 * one answers, with a warning where they differ.
 *
 * @throws MailRuleError `not-served` where they still differ after `waitSeconds`; without `wait`
 *   `dns-timeout`, `dns-servfail` where none answers
 */
export async function servedAlike<T extends Type>(
  live: PublicDomain,
  call: Call,
  type: T,
  wait: boolean,
): Promise<readonly DnsValue[T][]> {
  if (!wait) return servedNow(live, call, type, await live.askNameServers(type));
  let answers: ServerAnswer<T>[] = [];
  await waitUntil({
    call,
    what: `every name server of ${live.domain} answers the same (${type})`,
    look: async () => {
      answers = await live.askNameServers(type);
      return { reached: differing(type, answers).length === 0, seen: describe(type, answers) };
    },
    failure: (seen, seconds) => notAlike(live, seen, seconds),
  });
  return answers.map(proven).find((records) => records !== undefined) ?? [];
}

function servedNow<T extends Type>(
  { domain }: PublicDomain,
  call: Call,
  type: T,
  answers: readonly ServerAnswer<T>[],
) {
  const known = answers.map(proven).find((records) => records !== undefined);
  if (known === undefined) throw unanswered(domain, type, answers[0]?.answer.status ?? "timeout");
  if (differing(type, answers).length > 0) {
    const text = `The name servers of ${domain} do not answer the same (${describe(type, answers)}): a run waits until they do.`;
    call.warn(formatNote("dns-disagrees", text));
  }
  return known;
}

/** The answers that are not as the first one, or prove nothing. */
function differing<T extends Type>(type: T, answers: readonly ServerAnswer<T>[]) {
  const [first] = answers;
  if (first === undefined) return answers;
  const expected = words(type, first);
  return answers.filter(
    (answer) => proven(answer) === undefined || words(type, answer) !== expected,
  );
}

function describe<T extends Type>(type: T, answers: readonly ServerAnswer<T>[]): string {
  return answers
    .map((answer) => `${answer.server.name} (${answer.server.address}): ${words(type, answer)}`)
    .join("; ");
}

function words<T extends Type>(type: T, answer: ServerAnswer<T>): string {
  const records = proven(answer);
  return records === undefined ? `no answer (${answer.answer.status})` : shown[type](records);
}

function notAlike({ domain }: PublicDomain, seen: string, seconds: number): MailRuleError {
  return new MailRuleError({
    code: "not-served",
    where: `DNS of ${domain}`,
    problem: `After ${formatSeconds(seconds)} its name servers still do not answer the same: ${seen}.`,
    fix: "Mail keeps flowing as before; look at those name servers, then run the same command again: it goes on from here.",
    value: domain,
  });
}
