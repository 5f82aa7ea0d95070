/** The SPF term of a gateway that a domain moves away from: without it receivers fail what still leaves there. */
import { MailRuleError } from "../mail/errors.ts";
import { wayUnconfirmed } from "../mail/outbound-words.ts";
import type { DrainInputs } from "./drain-schema.ts";
import type { Call } from "./resource.ts";
import type { FormerGateway, RouteInputs } from "./route-schema.ts";
import { termsOf } from "./spf-include-goal.ts";
import type { SpfIncludeInputs } from "./spf-include-schema.ts";
import { isConfirmed } from "./until-quiet.ts";

/** What would be lost, and the gateway's endpoint for outbound mail. */
interface LostTerms {
  readonly domain: string;
  readonly includes: readonly string[];
  readonly relay: string;
}

/**
 * Between gateways that keep their routes themselves, `Route` says which terms must stay. Of one that is given by
 * its host names nobody here can know, so that a person must: before a move, and before mail leaves elsewhere.
 *
 * @throws MailRuleError `spf-term-of-former-gateway`, `outbound-way-unconfirmed`: then nothing was changed
 */
export function refuseLostTerm(old: SpfIncludeInputs, news: SpfIncludeInputs, call: Call): void {
  const { domain, include, alsoInclude = [], relay } = old;
  const isMove = relay !== news.relay;
  if (relay === undefined || !(isMove || news.unseen)) return;
  const own = include !== undefined && (isMove || news.include === undefined) ? [include] : [];
  // Those of gateways before that one are Route's to let go, where there is one.
  const held = [...own, ...(news.unseen ? alsoInclude : [])];
  const includes = held.filter((each) => !termsOf(news).includes(`include:${each}`));
  const [first] = includes;
  if (first === undefined || isConfirmed({ domain }, call)) return;
  if (!isMove && first === include) throw wayUnconfirmed({ domain, relay }, first);
  const terms = includes.map((each) => `"include:${each}"`).join(", ");
  throw lostTerms(
    { domain, includes, relay },
    `Keep what would go beside the new term: write ${terms} into spf.replaceMx of the domain, and take it out again once nothing goes out there any more.`,
  );
}

/**
 * Where the stack edits the SPF record no more, for mail is to leave elsewhere than from the gateway, nothing would
 * keep the terms of the former ones in it.
 *
 * @param editedSpf whether it has edited it until now
 * @throws MailRuleError `spf-term-of-former-gateway`: then nothing was changed
 */
export function refuseLostTerms(
  { domain, editsSpf }: RouteInputs,
  formers: readonly FormerGateway[],
  editedSpf: boolean,
  call: Call,
): void {
  if (editsSpf || !editedSpf) return;
  const asked = formers.flatMap(({ sending }) =>
    sending?.include !== undefined && sending.quietSeconds > 0 ? [sending] : [],
  );
  const [first] = asked;
  if (first === undefined || isConfirmed({ domain }, call)) return;
  const includes = asked.flatMap(({ include }) => include ?? []);
  throw lostTerms({ domain, includes, relay: first.relay }, MOVE_FIRST);
}

/**
 * The same where nobody can ask one of the gateways, or the only one, and there is no `SpfInclude` any more.
 *
 * @throws MailRuleError `spf-term-of-former-gateway`, `outbound-way-unconfirmed`: the SPF record is as it was
 */
export function refuseLostUnseen(old: DrainInputs, news: DrainInputs, call: Call): void {
  const { domain, include, relay } = old;
  if (include === undefined || news.include !== undefined) return;
  if (news.replacements?.includes(`include:${include}`)) return;
  const isMove = relay !== news.relay && (old.store === undefined) !== (news.store === undefined);
  const isBlind = old.store === undefined && news.store === undefined;
  if (!(isMove || isBlind) || news.quietSeconds === 0 || isConfirmed(news, call)) return;
  if (isBlind) throw wayUnconfirmed(news, include);
  throw lostTerms({ domain, includes: [include], relay }, MOVE_FIRST);
}

const MOVE_FIRST =
  "Move the domain with the way out that it has (relayServer and outbound as they were), and change that in a later run, when nothing goes out through the former gateway any more.";

function lostTerms({ domain, includes, relay }: LostTerms, fix: string): MailRuleError {
  const term = includes.map((each) => `include:${each}`).join(" ");
  return new MailRuleError({
    code: "spf-term-of-former-gateway",
    where: `SPF of ${domain}`,
    value: term,
    problem: `The domain moves to another gateway, and its mail may still go out through ${relay}. Without ${term} in the SPF record receivers would fail that mail. The SPF record was not changed.`,
    fix: `${fix} Where nothing goes out there already, say so in the environment: MXHERO_OUTBOUND_STOPPED=${domain}.`,
  });
}
