/** Who loses the right to send when the MX moves, because the SPF record relies on `mx`. */
import type { DnsAnswer, DnsType, DnsValue, MxRecord, Resolver } from "../dns.ts";
import { MailRuleError } from "../errors.ts";
import { checkHost } from "./check-host.ts";
import { toAscii } from "./domain-name.ts";

export interface FindLostSendersArgs {
  readonly domain: string;
  /** The domain's SPF record at present. */
  readonly record: string;
  /** Its record after the change. */
  readonly nextRecord: string;
  /** Those whose hosts are asked about: the domain's MX, or its MX of before the takeover. */
  readonly formerMx: readonly MxRecord[];
  /** The domain's MX at present. @default `formerMx` */
  readonly presentMx?: readonly MxRecord[];
  /** Its MX after the change. */
  readonly nextMx: readonly MxRecord[];
  readonly resolver: Resolver;
}

export interface LostSender {
  readonly exchange: string;
  readonly address: string;
}

/**
 * The addresses of the former exchanges that pass check_host() now and no longer will. What
 * `resolver` says of the domain's own MX and SPF record is not used, so that the answer is the same
 * before and after the change.
 * @throws MailRuleError `spf-mx-reliance-unknown` where DNS gives no answer: nobody knows then.
 */
export async function findLostSenders(args: FindLostSendersArgs): Promise<LostSender[]> {
  const { resolver, record, nextRecord, formerMx, presentMx = formerMx, nextMx } = args;
  const domain = toAscii(args.domain).toLowerCase();
  const now = overlay(resolver, domain, { MX: presentMx, TXT: [record] });
  const next = overlay(resolver, domain, { MX: nextMx, TXT: [nextRecord] });
  const lost: LostSender[] = [];
  for (const exchange of new Set(formerMx.map((mx) => mx.exchange).filter((name) => name !== ""))) {
    for (const address of await findAddresses(resolver, domain, exchange)) {
      const sender = { exchange, address };
      const passedBefore = await passes(now, domain, sender);
      if (passedBefore && !(await passes(next, domain, sender))) lost.push(sender);
    }
  }
  return lost;
}

/** Terms that authorise the lost senders again: one `a:<exchange>` each. */
export function suggestReplacements(lost: readonly LostSender[]): string[] {
  return [...new Set(lost.map(({ exchange }) => `a:${exchange}`))];
}

type Records = { readonly [T in DnsType]?: readonly DnsValue[T][] };

/** Answers for `name` from `records`, and everything else from `resolver`. */
function overlay(resolver: Resolver, name: string, records: Records): Resolver {
  return async <T extends DnsType>(asked: string, type: T): Promise<DnsAnswer<T>> => {
    const own: readonly DnsValue[T][] | undefined = asked === name ? records[type] : undefined;
    if (own === undefined) return resolver(asked, type);
    return { status: own.length > 0 ? "ok" : "nodata", records: own };
  };
}

async function findAddresses(
  resolver: Resolver,
  domain: string,
  exchange: string,
): Promise<readonly string[]> {
  const answers = [await resolver(exchange, "A"), await resolver(exchange, "AAAA")];
  const failed = answers.find(({ status }) => status === "servfail" || status === "timeout");
  if (failed !== undefined) {
    throw unknown(
      domain,
      exchange,
      `DNS answered the addresses of ${exchange} with "${failed.status}".`,
    );
  }
  return answers.flatMap(({ records }) => records);
}

async function passes(
  resolver: Resolver,
  domain: string,
  { exchange, address }: LostSender,
): Promise<boolean> {
  const sender = `postmaster@${domain}`;
  const outcome = await checkHost({ ip: address, domain, sender, helo: exchange, resolver });
  if (outcome.result !== "temperror") return outcome.result === "pass";
  throw unknown(domain, exchange, outcome.problem ?? "DNS gave no answer.");
}

function unknown(where: string, value: string, problem: string): MailRuleError {
  return new MailRuleError({
    code: "spf-mx-reliance-unknown",
    where,
    value,
    problem: `Whether ${value} may still send once the MX has moved is unknown. ${problem}`,
    fix: "Try again when DNS answers.",
  });
}
