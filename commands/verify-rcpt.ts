/** Asks a gateway, at each of its inbound addresses and as a sender would, whether it takes mail for a domain. */
import type { Resolver } from "../mail/dns.ts";
import { SMTP_PORT } from "../mail/route.ts";
import type { Reading } from "../mail/verify/check.ts";
import type { RcptAnswer, RcptView } from "../mail/verify/evidence.ts";
import { askRecipient } from "../smtp/ask-recipient.ts";
import type { Surroundings, VerifyTarget } from "./verify-evidence.ts";

const CONNECT_MILLISECONDS = 10_000;
/** With Rcpt Lookup by probe the gateway asks the Server first. */
const REPLY_MILLISECONDS = 30_000;

/** @returns undefined where no mail for the domain comes in through the gateway */
export async function askGateway(
  { domain, takeover, route }: VerifyTarget,
  { config, options }: Surroundings,
  resolver: Resolver,
): Promise<Reading<RcptView> | undefined> {
  const mx = takeover?.outputs.mx ?? (route?.outputs.inbound ? config?.gateway.mx : undefined);
  if (mx === undefined) return undefined;
  if (options.smtp === false) return { kind: "skipped", why: "Not asked, as --no-smtp says." };
  const known = route?.outputs.probeRecipient ?? takeover?.outputs.probeRecipient;
  const recipient = known ?? `postmaster@${domain}`;
  const hosts = await Promise.all(
    mx.map(async ({ exchange }) => ({
      host: exchange,
      found: await addressesOf(exchange, resolver),
    })),
  );
  const failed = hosts.find(({ found }) => found.isFailure);
  if (failed !== undefined) {
    return { kind: "unread", problem: `DNS does not answer for ${failed.host}.` };
  }
  const excluded = excludedAddresses(config?.gateway, route?.outputs.excludeSlots ?? []);
  const asked = hosts.flatMap(({ host, found }) =>
    found.addresses.map((address) => ask({ host, address, recipient }, excluded.get(address))),
  );
  const missing = hosts.filter(({ found }) => found.addresses.length === 0).map(({ host }) => host);
  const answers = await Promise.all(asked);
  return { kind: "read", value: { recipient, isKnown: known !== undefined, missing, answers } };
}

interface Question {
  readonly host: string;
  readonly address: string;
  readonly recipient: string;
}

async function ask(question: Question, excludedSlot: string | undefined): Promise<RcptAnswer> {
  const { answer, steps } = await askRecipient({
    ...question,
    port: SMTP_PORT,
    connectMilliseconds: CONNECT_MILLISECONDS,
    replyMilliseconds: REPLY_MILLISECONDS,
    signal: new AbortController().signal,
  });
  const { host, address } = question;
  return { host, address, result: answer, steps, ...(excludedSlot && { excludedSlot }) };
}

async function addressesOf(host: string, resolver: Resolver) {
  const v4 = await resolver(host, "A");
  const { status, records } = v4.status === "ok" ? v4 : await resolver(host, "AAAA");
  const isFailure = [v4.status, status].some((each) => each === "servfail" || each === "timeout");
  return { addresses: records, isFailure };
}

/** The inbound addresses of slots that are left out, with the slots' names. */
function excludedAddresses(
  gateway: NonNullable<Surroundings["config"]>["gateway"] | undefined,
  excludeSlots: readonly string[],
): ReadonlyMap<string, string> {
  const addresses = gateway?.addresses ?? {};
  return new Map(
    excludeSlots.flatMap((slot) => {
      const inbound = addresses[slot]?.inbound;
      return inbound === undefined ? [] : [[inbound, slot] as const];
    }),
  );
}
