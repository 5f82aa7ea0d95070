/** Asks one mail host, at its addresses in turn, whether it takes mail for a recipient. */
import type { Resolver } from "../mail/dns.ts";
import { SMTP_PORT } from "../mail/route.ts";
import { type AskedRecipient, askRecipient } from "../smtp/ask-recipient.ts";
import type { Call } from "./resource.ts";

/** As many addresses of a host are tried. */
const MOST_ADDRESSES = 3;
const CONNECT_MILLISECONDS = 10_000;
/** Servers that look senders up before they answer need some time. */
const REPLY_MILLISECONDS = 30_000;

/** The first address that shows something ends it. @returns `undefined`: DNS gives no address of the host */
export async function askHost(
  host: string,
  recipient: string,
  resolver: Resolver,
  call: Call,
): Promise<AskedRecipient | undefined> {
  const addresses = await addressesOf(host, resolver);
  let last: AskedRecipient | undefined;
  for (const address of addresses.slice(0, MOST_ADDRESSES)) {
    call.signal.throwIfAborted();
    last = await askRecipient({
      host,
      address,
      port: SMTP_PORT,
      recipient,
      connectMilliseconds: CONNECT_MILLISECONDS,
      replyMilliseconds: REPLY_MILLISECONDS,
      signal: call.signal,
    });
    if (last.answer.kind !== "failed") return last;
  }
  return last;
}

/** The dialogue, a line each, under the host and what is to be said of it. */
export function describeAsked(
  host: string,
  why: string,
  asked: AskedRecipient | undefined,
): string {
  const steps = asked?.steps ?? [];
  const head = why === "" ? `${host}:` : `${host}: ${why}`;
  return [head, ...steps.map((step) => `  ${step.action} → ${step.outcome}`)].join("\n");
}

async function addressesOf(host: string, resolver: Resolver): Promise<readonly string[]> {
  const v4 = await resolver(host, "A");
  return v4.status === "ok" ? v4.records : (await resolver(host, "AAAA")).records;
}
