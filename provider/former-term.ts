/** The SPF term of a gateway that a domain moves away from: without it receivers fail what still leaves there. */
import { MailRuleError } from "../mail/errors.ts";
import type { DrainInputs } from "./drain-schema.ts";
import type { Call } from "./resource.ts";
import type { FormerGateway, RouteInputs } from "./route-schema.ts";
import { termsOf } from "./spf-include-goal.ts";
import type { SpfIncludeInputs } from "./spf-include-schema.ts";
import { isConfirmed } from "./until-quiet.ts";

/** What would be lost, and the gateway's endpoint for outbound mail. */
interface LostTerm {
  readonly domain: string;
  readonly include: string;
  readonly relay: string;
}

/**
 * Between gateways that keep their routes themselves, `Route` says which terms must stay. Of one that is given by
 * its host names nobody here can know, so that a person must.
 *
 * @throws MailRuleError `spf-term-of-former-gateway`
 */
export function refuseLostTerm(old: SpfIncludeInputs, news: SpfIncludeInputs, call: Call): void {
  const { domain, include, relay } = old;
  if (include === undefined || relay === undefined || relay === news.relay) return;
  const term = `include:${include}`;
  if (termsOf(news).includes(term) || isConfirmed({ domain }, call)) return;
  throw lostTerm(
    { domain, include, relay },
    `Keep the term beside the new one: write "${term}" into spf.replaceMx of the domain, and take it out again once nothing goes out through ${relay} any more.`,
  );
}

/**
 * Where mail is to leave elsewhere than from the new gateway, the stack has no `SpfInclude` any more that would
 * keep the terms of the former ones.
 *
 * @throws MailRuleError `spf-term-of-former-gateway`
 */
export function refuseLostTerms(
  { domain, sending }: RouteInputs,
  formers: readonly FormerGateway[],
  call: Call,
): void {
  if (sending?.include !== undefined) return;
  const named = formers.flatMap(({ sending: former }) => (former ? [former] : []));
  const asked = named.find(({ include, quietSeconds }) => include && quietSeconds > 0);
  if (asked?.include === undefined || isConfirmed({ domain }, call)) return;
  throw lostTerm({ domain, include: asked.include, relay: asked.relay }, MOVE_FIRST);
}

/**
 * The same where one of the gateways is given by its host names.
 *
 * @throws MailRuleError `spf-term-of-former-gateway`
 */
export function refuseBlindMove(old: DrainInputs, news: DrainInputs, call: Call): void {
  const { domain, include, relay } = old;
  const isBlindMove = (old.store === undefined) !== (news.store === undefined);
  if (!isBlindMove || include === undefined || news.include !== undefined) return;
  if (relay === news.relay || news.quietSeconds === 0 || isConfirmed(news, call)) return;
  throw lostTerm({ domain, include, relay }, MOVE_FIRST);
}

const MOVE_FIRST =
  "Move the domain with the way out that it has (relayServer and outbound as they were), and change that in a later run, when nothing goes out through the former gateway any more.";

function lostTerm({ domain, include, relay }: LostTerm, fix: string): MailRuleError {
  const term = `include:${include}`;
  return new MailRuleError({
    code: "spf-term-of-former-gateway",
    where: `SPF of ${domain}`,
    value: term,
    problem: `The domain moves to another gateway, and its mail may still go out through ${relay}. Without ${term} in the SPF record receivers would fail that mail. The SPF record was not changed.`,
    fix: `${fix} Where nothing goes out there already, say so in the environment: MXHERO_OUTBOUND_STOPPED=${domain}.`,
  });
}
