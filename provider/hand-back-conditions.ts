/** What must hold before the MX of before the takeover are put back. */
import { MailRuleError } from "../mail/errors.ts";
import { refuseNotAdmitted } from "./mta-sts.ts";
import type { PublicDomain } from "./public-domain.ts";
import type { Call } from "./resource.ts";

/** Senders knew these MX before: a policy that nobody can read now is no reason to stay on the gateway. */
export async function refuseHandBack(
  { resolver, domain }: PublicDomain,
  exchanges: readonly string[],
  call: Call,
): Promise<void> {
  try {
    await refuseNotAdmitted(resolver, domain, exchanges);
  } catch (error) {
    if (!(error instanceof MailRuleError) || error.code === "mta-sts-not-admitted") throw error;
    call.warn(`${error.where}: ${error.problem} The MX are put back all the same.`);
  }
}
