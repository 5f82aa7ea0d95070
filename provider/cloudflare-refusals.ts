/** What is refused because of Cloudflare's account, token or rate limit. */
import { MailRuleError } from "../mail/errors.ts";
import { tokenVariable } from "./settings.ts";
import { formatSeconds } from "./wait.ts";

export function zoneGone(what: string, said: string, cause: unknown): MailRuleError {
  return new MailRuleError({
    code: "zone-gone",
    where: `Cloudflare, ${what}`,
    problem: `The API does not know it (any more): ${said}.`,
    fix: "If the zone was made anew or moved to another account, give its zoneId or credential and run pulumi up; if the domain is gone for good, take its resources out of the state with pulumi state delete.",
    cause,
  });
}

export function tokenMissing(credential: string | undefined): MailRuleError {
  const configured =
    credential === undefined ? "mxhero:apiToken" : `mxhero:apiTokens.${credential}`;
  return new MailRuleError({
    code: "token-missing",
    problem: "No Cloudflare API token was given, so nothing can be read.",
    fix: `Set ${tokenVariable(credential)}, or the secret ${configured} in the stack's configuration.`,
  });
}

export function rateLimitReached(what: string, needed: number, atMost: number): MailRuleError {
  return new MailRuleError({
    code: "rate-limit-reached",
    where: `Cloudflare, ${what}`,
    problem: `The rate limit of the token's user is reached: it takes ${formatSeconds(needed)} more until the API may be asked again, which is longer than one wait may take (${formatSeconds(atMost)}).`,
    fix: "Mail keeps flowing as before. End other programs that use the API as the same user, or allow longer waits (mxhero:waitSeconds); then run the same command again: it goes on from here.",
  });
}
