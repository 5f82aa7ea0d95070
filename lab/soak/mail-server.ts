/**
 * A mail server that sends: keeps a message and tries again, as RFC 5321 section 4.5.4.1 says, until it is
 * taken, refused, or given up. What it does by a clock goes by that of the soak.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { Resolver } from "../../mail/dns.ts";
import { type MtaStsPolicy, notAdmitted } from "../../mail/mta-sts.ts";
import { domainOf } from "../message.ts";
import type { PolicyCache } from "../mta-sts-client.ts";
import { type SessionOptions, SmtpSession, type TransactionResult } from "../smtp-client.ts";
import { labMilliseconds, retrySeconds, reuseSeconds } from "./clock.ts";

export interface MailServerOptions {
  /** Said in EHLO. */
  readonly name: string;
  /** Source address of its connections. */
  readonly address: string;
  /** Keeps records as this server's resolver does. */
  readonly resolver: Resolver;
  /** How long it keeps a message, in seconds of the soak's clock. */
  readonly patienceSeconds: number;
  /** Uses an open connection for the next message to the same domain, without looking at DNS. @default false */
  readonly reusesConnections?: boolean;
  /** Keeps to these policies; certificates are signed by this authority (PEM). @default it looks for none */
  readonly mtaSts?: { readonly policies: PolicyCache; readonly ca: string };
}

export interface Letter {
  readonly sender: string;
  readonly recipient: string;
  readonly content: string;
}

/** How the message left this server. `kept`: it was still trying when it was told to stop. */
export interface Fate {
  readonly state: "taken" | "refused" | "given-up" | "kept";
  /** The last reply or failure. */
  readonly reply: string;
  readonly attempts: number;
}

/** A host that may take the message; without an address there is none, for the reason. */
interface Hop {
  readonly host: string;
  readonly address: string;
}

interface OpenSession {
  readonly session: SmtpSession;
  /** Milliseconds since the epoch. */
  readonly opened: number;
}

const states = { delivered: "taken", permanent: "refused" } as const;

export class MailServer {
  readonly options: MailServerOptions;
  readonly #idle = new Map<string, OpenSession[]>();

  constructor(options: MailServerOptions) {
    this.options = options;
  }

  /**
   * @param smarthost where it hands over now, asked at each attempt; `undefined`: by the recipient's MX
   * @param stopped makes it stop trying
   */
  async send(
    letter: Letter,
    smarthost: () => string | undefined,
    stopped: AbortSignal,
  ): Promise<Fate> {
    const begun = Date.now();
    const patience = labMilliseconds(this.options.patienceSeconds);
    for (let attempt = 0; ; attempt += 1) {
      const { outcome, reply } = await this.#tryOnce(letter, smarthost());
      const attempts = attempt + 1;
      if (outcome !== "temporary") return { state: states[outcome], reply, attempts };
      if (Date.now() - begun > patience) return { state: "given-up", reply, attempts };
      const pause = sleep(labMilliseconds(retrySeconds(attempt)), true, { signal: stopped });
      if (!(await pause.catch(() => false))) return { state: "kept", reply, attempts };
    }
  }

  /** Ends the connections that are open. */
  close(): void {
    for (const sessions of this.#idle.values()) for (const { session } of sessions) session.close();
    this.#idle.clear();
  }

  async #tryOnce(letter: Letter, smarthost: string | undefined): Promise<TransactionResult> {
    const destination = smarthost ?? domainOf(letter.recipient);
    const open = this.#openSession(destination);
    if (open !== undefined) return this.#deliver(open, destination, letter);
    const hops =
      smarthost === undefined ? await this.#exchangesOf(destination) : await this.#hops(smarthost);
    if (!Array.isArray(hops)) return hops;
    const policy =
      smarthost === undefined
        ? await this.options.mtaSts?.policies.policyOf(destination)
        : undefined;
    let result: TransactionResult = { outcome: "temporary", reply: "No host has an address" };
    for (const hop of hops) {
      result = await this.#tryHop(hop, policy, destination, letter);
      if (result.outcome !== "temporary") return result;
    }
    return result;
  }

  async #tryHop(
    { host, address }: Hop,
    policy: MtaStsPolicy | undefined,
    destination: string,
    letter: Letter,
  ): Promise<TransactionResult> {
    const { name, address: localAddress, mtaSts } = this.options;
    const enforced = policy?.mode === "enforce" ? policy : undefined;
    if (enforced !== undefined && notAdmitted(enforced, [host]).length > 0) {
      return { outcome: "temporary", reply: `The MTA-STS policy does not admit ${host}` };
    }
    const options: SessionOptions = {
      address,
      localAddress,
      name,
      ...(enforced && mtaSts && { verify: { host, ca: mtaSts.ca } }),
    };
    const session = await SmtpSession.open(options);
    if (!(session instanceof SmtpSession)) return session;
    return this.#deliver({ session, opened: Date.now() }, destination, letter);
  }

  async #deliver(
    open: OpenSession,
    destination: string,
    letter: Letter,
  ): Promise<TransactionResult> {
    const result = await open.session.deliver(letter);
    const keep = this.options.reusesConnections === true && result.outcome === "delivered";
    if (keep) this.#idle.set(destination, [...(this.#idle.get(destination) ?? []), open]);
    else open.session.close();
    return result;
  }

  /** One that is idle and young enough; it is in use from now on. */
  #openSession(destination: string): OpenSession | undefined {
    const sessions = this.#idle.get(destination) ?? [];
    const oldest = Date.now() - labMilliseconds(reuseSeconds);
    const young = sessions.filter(({ opened }) => opened > oldest);
    for (const { session } of sessions.filter((each) => !young.includes(each))) session.close();
    const open = young.pop();
    this.#idle.set(destination, young);
    return open;
  }

  /** RFC 5321 section 5.1; hosts of equal preference in random order. */
  async #exchangesOf(domain: string): Promise<Hop[] | TransactionResult> {
    const { status, records } = await this.options.resolver(domain, "MX");
    if (status === "servfail" || status === "timeout") {
      return { outcome: "temporary", reply: `No answer for the MX of ${domain}` };
    }
    if (status === "nxdomain")
      return { outcome: "permanent", reply: `550 There is no domain ${domain}` };
    if (status === "nodata") return this.#hops(domain);
    const exchanges = records
      .map((record) => ({ ...record, draw: Math.random() }))
      .toSorted((a, b) => a.preference - b.preference || a.draw - b.draw)
      .map(({ exchange }) => exchange);
    if (exchanges.every((exchange) => exchange === "")) {
      return { outcome: "permanent", reply: `550 ${domain} accepts no mail` };
    }
    return (await Promise.all(exchanges.map((exchange) => this.#hops(exchange)))).flat();
  }

  async #hops(host: string): Promise<Hop[]> {
    const { records } = await this.options.resolver(host, "A");
    return records
      .map((address) => ({ host, address, draw: Math.random() }))
      .toSorted((a, b) => a.draw - b.draw);
  }
}
