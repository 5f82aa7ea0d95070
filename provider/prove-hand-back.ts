/**
 * Proves before a hand-back that the mail system takes mail from everyone: this machine asks it by SMTP, as a
 * sender would. Where that shows nothing (port 25 is blocked here, the host is down), the administrator's word
 * takes its place.
 */
import type { MxRecord, Resolver } from "../mail/dns.ts";
import { MailRuleError } from "../mail/errors.ts";
import { judgeLevel, judgeOpenness, type Openness } from "../mail/hand-back-proof.ts";
import { howToLift } from "../mail/lock-down.ts";
import { recogniseMailSystem } from "../mail/mail-system.ts";
import { formatMxSet } from "../mail/mx.ts";
import { askHost, describeAsked } from "./ask-host.ts";
import type { Call } from "./resource.ts";

export interface HandBack {
  readonly domain: string;
  /** The MX that are to receive mail again, by preference, as `mxToProve` gives them. */
  readonly levels: readonly (readonly MxRecord[])[];
  /** Names and addresses of the gateway. */
  readonly gatewayHosts: readonly string[];
  /** An address of the domain that exists. @default postmaster, which RFC 5321 section 4.5.1 demands */
  readonly probeRecipient?: string | undefined;
  /** The administrator says in the configuration that the mail system takes mail from everyone. */
  readonly handBackConfirmed: boolean;
  readonly resolver: Resolver;
}

/** What one host showed, and the dialogue. */
interface Finding {
  readonly openness: Openness;
  readonly words: string;
}

/** A host of which DNS knows no address, or does not tell. */
const UNKNOWN = { kind: "unclear", why: "DNS gives no address of it" } as const satisfies Openness;

/**
 * @returns whether hosts were asked, which takes some time
 * @throws MailRuleError `hand-back-refused` where the mail system refuses mail, `hand-back-not-proven` where
 *   nothing shows that it takes it; both not where the administrator has confirmed
 */
export async function proveHandBack(handBack: HandBack, call: Call): Promise<boolean> {
  const { domain, levels } = handBack;
  if (levels.length === 0) return false;
  const set = formatMxSet(levels.flat());
  if (handBack.handBackConfirmed || call.settings.handBackConfirmed.includes(domain)) {
    call.info(`${domain}: confirmed by the administrator that ${set} take mail from everyone.`);
    return false;
  }
  call.progress(`${domain}: asking ${set} whether they take mail from everyone`);
  const gateway = await addressesOfAll(handBack.gatewayHosts, handBack.resolver);
  const seen: Finding[] = [];
  for (const level of levels) {
    const found = await Promise.all(level.map((mx) => proveHost(mx, handBack, gateway, call)));
    call.signal.throwIfAborted();
    seen.push(...found);
    const verdict = judgeLevel(found.map(({ openness }) => openness));
    if (verdict === "open") return true;
    if (verdict === "closed") throw refused(handBack, found);
  }
  throw notProven(handBack, seen);
}

async function proveHost(
  { exchange }: MxRecord,
  { domain, resolver, probeRecipient }: HandBack,
  gateway: readonly string[],
  call: Call,
): Promise<Finding> {
  const asked = await askHost(exchange, probeRecipient ?? `postmaster@${domain}`, resolver, call);
  const openness =
    asked === undefined ? UNKNOWN : judgeOpenness(asked.answer, asked.seenFrom, gateway);
  const why = openness.kind === "unclear" ? openness.why : "";
  return { openness, words: describeAsked(exchange, why, asked) };
}

/** Names become addresses; addresses stay. */
async function addressesOfAll(hosts: readonly string[], resolver: Resolver): Promise<string[]> {
  const found = await Promise.all(
    hosts.map(async (host) => [
      host,
      ...(await resolver(host, "A")).records,
      ...(await resolver(host, "AAAA")).records,
    ]),
  );
  return found.flat();
}

/** How the administrator's word is given. */
function confirming(domain: string): string {
  return `write handBackConfirmed: true into the domain's entry and run pulumi up, or for one run set MXHERO_HAND_BACK_CONFIRMED=${domain} in the environment`;
}

function refused({ domain, levels }: HandBack, found: readonly Finding[]): MailRuleError {
  const { system } = recogniseMailSystem(levels.flat());
  const isMicrosoft = found.some(({ words }) => words.includes("5.7.51"));
  const lift = howToLift(isMicrosoft ? "microsoft365" : system);
  return new MailRuleError({
    code: "hand-back-refused",
    where: `MX of ${domain}`,
    value: formatMxSet(levels.flat()),
    problem: `The mail system refuses mail that does not come through the gateway.\n${wordsOf(found)}\n`,
    fix: `The MX were not put back, and mail goes on as before. Let it take mail from everyone, then run the same command again. ${lift} If it refuses this machine alone (a block list, an address without a PTR record), ${confirming(domain)}.`,
  });
}

function notProven({ domain, levels, probeRecipient }: HandBack, seen: readonly Finding[]) {
  const isRecipient = seen.some(({ words }) => words.includes("does not know the recipient"));
  const recipient =
    isRecipient && probeRecipient === undefined
      ? " Give an address that exists as probeRecipient and run pulumi up."
      : "";
  return new MailRuleError({
    code: "hand-back-not-proven",
    where: `MX of ${domain}`,
    value: formatMxSet(levels.flat()),
    problem: `Nothing shows that the mail system takes mail from everyone.\n${wordsOf(seen)}\n`,
    fix: `The MX were not put back, and mail goes on as before. Where it was put off, run the same command again in some minutes.${recipient} Many networks, those of clouds and hosted runners among them, block outgoing port 25: run from elsewhere, or look yourself that the mail system is not locked to the gateway, and ${confirming(domain)}.`,
  });
}

function wordsOf(found: readonly Finding[]): string {
  return found.map(({ words }) => words).join("\n");
}
