/** The SPF term of a gateway that a domain moves away from: without it receivers fail what still leaves there. */
import { MailRuleError } from "../mail/errors.ts";
import type { Call } from "./resource.ts";
import { termsOf } from "./spf-include-goal.ts";
import type { SpfIncludeInputs as Inputs } from "./spf-include-schema.ts";
import { isConfirmed } from "./until-quiet.ts";

/**
 * Between gateways that keep their routes themselves, `Route` says which terms must stay. Of one that is given by
 * its host names nobody here can know, so that a person must.
 *
 * @throws MailRuleError `spf-term-of-former-gateway`: then nothing was changed
 */
export function refuseLostTerm(old: Inputs, news: Inputs, call: Call): void {
  const { domain, include, relay } = old;
  if (include === undefined || relay === undefined || relay === news.relay) return;
  const term = `include:${include}`;
  if (termsOf(news).includes(term) || isConfirmed({ domain }, call)) return;
  throw new MailRuleError({
    code: "spf-term-of-former-gateway",
    where: `SPF of ${domain}`,
    value: term,
    problem: `The domain moves to another gateway, and whether its mail still goes out through ${relay} cannot be seen from here. Without ${term} in the SPF record receivers would fail that mail. Nothing was changed.`,
    fix: `Keep the term beside the new one: write "${term}" into spf.replaceMx of the domain, and take it out again once nothing goes out through ${relay} any more. Where nothing does already, say so in the environment: MXHERO_OUTBOUND_STOPPED=${domain}.`,
  });
}
