/** A mail server somewhere that has a message to deliver, and does it as RFC 5321 section 5.1 says. */
import { randomUUID } from "node:crypto";
import { type MtaStsPolicy, notAdmitted } from "../mail/mta-sts.ts";
import { type MailHost, resolveMailHosts } from "./mail-hosts.ts";
import { composeMessage, domainOf } from "./message.ts";
import { createPolicyCache } from "./mta-sts-client.ts";
import { type Outcome, type Transaction, type TransactionResult, transact } from "./smtp-client.ts";

export interface SenderOptions {
  /** Said in EHLO, e.g. `mx.sender.test`. */
  readonly name: string;
  /** Source address of its connections. */
  readonly address: string;
  /** Address of the recursive resolver that it asks. */
  readonly resolver: string;
  /**
   * Keep to MTA-STS policies; certificates are signed by this authority (PEM).
   * @default policies are not looked for
   */
  readonly ca?: string;
}

export interface Mail {
  /** Envelope and header addresses. @default postmaster at the sender */
  readonly from?: string;
  readonly to: string;
  /** Identifies the message. @default a random one */
  readonly id?: string;
}

/** One connection to one address of one mail host. */
export interface Attempt {
  /** Name in the MX record. */
  readonly host: string;
  /** Empty if the host has none. */
  readonly address: string;
  readonly outcome: Outcome;
  /** The server's reply, or why there is none. */
  readonly reply: string;
}

export interface DeliveryReport {
  readonly id: string;
  /**
   * - `delivered`: a server took responsibility.
   * - `deferred`: a real MTA would keep it and try again later.
   * - `bounced`: the sender is told that it failed.
   */
  readonly outcome: "delivered" | "deferred" | "bounced";
  /** The reply or the failure that decided. */
  readonly reason: string;
  readonly attempts: readonly Attempt[];
}

export interface Sender {
  readonly name: string;
  readonly address: string;
  /** Tries each host once. Never throws for what DNS or a server does. */
  send(mail: Mail): Promise<DeliveryReport>;
}

export function createSender(options: SenderOptions): Sender {
  const { name, address, resolver, ca } = options;
  const policies = ca === undefined ? undefined : createPolicyCache({ resolver, ca });
  return {
    name,
    address,
    send: async ({ to, from = `postmaster@${name}`, id = randomUUID() }) => {
      const domain = domainOf(to);
      const found = await resolveMailHosts(resolver, domain);
      if (found.status !== "ok") {
        const outcome = found.status === "permanent" ? "bounced" : "deferred";
        return { id, outcome, reason: found.reason, attempts: [] };
      }
      const policy = await policies?.policyOf(domain);
      const content = composeMessage({ id, from, to, subject: "A message of the lab" });
      const letter = { localAddress: address, name, sender: from, recipient: to, content };
      const attempts = await tryHosts(found.hosts, (host, hostAddress) =>
        policy?.mode === "enforce" && ca !== undefined
          ? transactUnderPolicy(policy, ca, host, { ...letter, address: hostAddress })
          : transact({ ...letter, address: hostAddress }),
      );
      return { id, ...conclude(attempts), attempts };
    },
  };
}

/** RFC 8461 section 5: only hosts that the policy admits, and only with a valid certificate. */
async function transactUnderPolicy(
  policy: MtaStsPolicy,
  ca: string,
  host: string,
  transaction: Transaction,
): Promise<TransactionResult> {
  if (notAdmitted(policy, [host]).length > 0) {
    return { outcome: "temporary", reply: `The MTA-STS policy does not admit ${host}` };
  }
  return transact({ ...transaction, verify: { host, ca } });
}

/** Every address of every host in turn, until one accepts or refuses for good. */
async function tryHosts(
  hosts: readonly MailHost[],
  deliver: (host: string, address: string) => Promise<TransactionResult>,
): Promise<Attempt[]> {
  const attempts: Attempt[] = [];
  for (const { name: host, addresses } of hosts) {
    if (addresses.length === 0) {
      attempts.push({ host, address: "", outcome: "temporary", reply: `${host} has no address` });
    }
    for (const address of addresses) {
      const result = await deliver(host, address);
      attempts.push({ host, address, ...result });
      if (result.outcome !== "temporary") return attempts;
    }
  }
  return attempts;
}

const outcomes = { delivered: "delivered", temporary: "deferred", permanent: "bounced" } as const;

function conclude(attempts: readonly Attempt[]): Pick<DeliveryReport, "outcome" | "reason"> {
  const last = attempts.at(-1);
  if (last === undefined) return { outcome: "deferred", reason: "No mail host was found" };
  return { outcome: outcomes[last.outcome], reason: last.reply };
}
