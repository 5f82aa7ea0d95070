/** A tenant's mail system: accepts mail for its domains, keeps it, and can be told to refuse. */
import type { Certificate } from "./certificates.ts";
import { domainOf, messageId, receivedBy } from "./message.ts";
import { type IncomingMessage, SmtpRefusal, type SmtpStep, startSmtpHost } from "./smtp-host.ts";

export interface MailSystemOptions {
  /** Host name, e.g. `contoso-test.mail.protection.outlook.test`. */
  readonly name: string;
  readonly address: string;
  /** @default no TLS is offered */
  readonly certificate?: Certificate;
  /** @default 25 */
  readonly port?: number;
  /** Passwords by user: who has not logged in is refused. @default no logins */
  readonly logins?: Readonly<Record<string, string>>;
  /** Mail for any other domain is refused. @default accepts mail for every domain, as a Relay Server does */
  readonly domains?: readonly string[];
  /** Addresses that exist. @default every address of its domains */
  readonly recipients?: readonly string[] | ((address: string) => boolean);
  /** Called as a message arrives. */
  readonly onMessage?: (message: KeptMessage) => void;
}

/** A message that arrived. */
export interface KeptMessage extends IncomingMessage {
  /** See `TestMessage.id`; empty if it has none. */
  readonly id: string;
  /** The hosts that it passed, oldest first; the last one is this mail system. */
  readonly path: readonly string[];
}

export interface MailSystem extends AsyncDisposable {
  readonly name: string;
  readonly address: string;
  readonly domains: readonly string[];
  /** Everything that arrived, oldest first. */
  readonly messages: readonly KeptMessage[];
  /**
   * Refuses all other client addresses with `550 5.7.51`, as Exchange Online does when an inbound
   * connector accepts mail from the gateway only. `undefined` opens it to everyone.
   */
  lockTo(clientAddresses: readonly string[] | undefined): void;
  /** From now on refuses at that step. @param reply e.g. `451 4.3.2 Try later`; `undefined` ends it */
  refuse(step: SmtpStep, reply: string | undefined): void;
}

/** Starts a mail system. Resolves when it listens. */
export async function startMailSystem(options: MailSystemOptions): Promise<MailSystem> {
  const { name, address, domains = [] } = options;
  const messages: KeptMessage[] = [];
  const refusals = new Map<SmtpStep, string>();
  let allowed: readonly string[] | undefined;

  const host = await startSmtpHost({
    ...options,
    addresses: [address],
    check: (step, clientAddress, recipient) => {
      const reply = refusals.get(step);
      if (reply !== undefined) throw new SmtpRefusal(reply);
      if (step !== "recipient") return;
      if (allowed?.includes(clientAddress) === false) throw new SmtpRefusal(locked(clientAddress));
      checkRecipient(options, recipient);
    },
    accept: (message) => {
      const path = receivedBy(message.content);
      const kept = { ...message, id: messageId(message.content), path };
      messages.push(kept);
      options.onMessage?.(kept);
    },
  });

  return {
    name,
    address,
    domains,
    messages,
    lockTo: (clientAddresses) => {
      allowed = clientAddresses;
    },
    refuse: (step, reply) => {
      if (reply === undefined) refusals.delete(step);
      else refusals.set(step, reply);
    },
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

function locked(clientAddress: string): string {
  return `550 5.7.51 TenantInboundAttribution; Mail from ${clientAddress} is not accepted by the inbound connector`;
}

function checkRecipient({ domains, recipients }: MailSystemOptions, recipient: string): void {
  const address = recipient.toLowerCase();
  if (domains?.includes(domainOf(address)) === false) {
    throw new SmtpRefusal(`550 5.7.1 <${recipient}>: relaying denied`);
  }
  const exists =
    typeof recipients === "function" ? recipients(address) : recipients?.includes(address);
  if (exists === false) {
    throw new SmtpRefusal(`550 5.1.1 <${recipient}>: no such user`);
  }
}
