/** Takes down what becomes of every message of a soak, as it is seen, and gives the account. */
import type { Resolver } from "../../mail/dns.ts";
import { checkHost } from "../../mail/spf/index.ts";
import { fleetNames } from "../hosts/fleet.ts";
import type { KeptMessage } from "../mail-system.ts";
import { domainOf, headerValues } from "../message.ts";
import { type Account, type Arrival, account, type Sending } from "./ledger.ts";
import type { Fate } from "./mail-server.ts";

/** A message as it is begun. */
export interface NewSending extends Omit<Sending, "fate"> {
  /** The address that its mail server sends from. */
  readonly origin: string;
}

export interface BookOptions {
  /** Of a receiver: keeps records as such do. */
  readonly resolver: Resolver;
  /**
   * The gateway's addresses between its border and a mail system: behind them, a mail system looks at who handed
   * the message to the gateway, as Enhanced Filtering and an inbound gateway do.
   */
  readonly behindBorder: ReadonlySet<string>;
}

const gatewayNames: readonly string[] = Object.values(fleetNames);

export class Book {
  readonly #options: BookOptions;
  readonly #sendings = new Map<string, NewSending>();
  readonly #fates = new Map<string, Fate>();
  readonly #arrivals: Promise<Arrival>[] = [];
  readonly #arrived = new Set<string>();
  readonly #bounced = new Set<string>();

  constructor(options: BookOptions) {
    this.#options = options;
  }

  begin(sending: NewSending): void {
    this.#sendings.set(sending.id, sending);
  }

  settle(id: string, fate: Fate): void {
    this.#fates.set(id, fate);
  }

  /** A message at somebody's mail system; reports of failure have no sender, and go to the message's own one. */
  receive(owner: string, message: KeptMessage): void {
    if (message.sender === "") {
      for (const recipient of message.recipients) this.#bounced.add(localPart(recipient));
      return;
    }
    const sending = this.#sendings.get(message.id);
    if (sending === undefined) return;
    this.#arrived.add(message.id);
    this.#arrivals.push(this.#arrival(owner, message, sending));
  }

  get sent(): number {
    return this.#sendings.size;
  }

  /** How many are at a mail system, be it more than once. */
  get arrived(): number {
    return this.#arrived.size;
  }

  /** How many their senders still have. */
  get unsettled(): number {
    return this.#sendings.size - this.#fates.size;
  }

  /** @param queued ids of messages in the gateway's queues */
  async account(queued: ReadonlySet<string>): Promise<Account> {
    const sendings = [...this.#sendings.values()].map((sending) => {
      const fate = this.#fates.get(sending.id);
      return { ...sending, ...(fate && { fate }) };
    });
    const arrivals = await Promise.all(this.#arrivals);
    return account(sendings, arrivals, { bounced: this.#bounced, queued });
  }

  async #arrival(owner: string, message: KeptMessage, sending: NewSending): Promise<Arrival> {
    const { id, path } = message;
    const at = Date.now();
    const client = clientAtBorder(message, this.#options.behindBorder);
    const [seen, direct] = await Promise.all(
      [client, sending.origin].map((ip) => this.#spf(ip, message.sender)),
    );
    return {
      id,
      at,
      owner,
      path: path.some((host) => gatewayNames.includes(host)) ? "gateway" : "direct",
      spf: { seen: seen ?? "none", direct: direct ?? "none" },
    };
  }

  async #spf(ip: string, sender: string) {
    const { resolver } = this.#options;
    return (await checkHost({ ip, domain: domainOf(sender), sender, resolver })).result;
  }
}

/** The first client, from the last hop back, that is not the gateway on its way to the mail system. */
function clientAtBorder(message: KeptMessage, behindBorder: ReadonlySet<string>): string {
  const hops = headerValues(message.content, "Received").map(
    (value) => /\[([\d.]+)\]/.exec(value)?.[1] ?? "",
  );
  return hops.find((address) => !behindBorder.has(address)) ?? message.clientAddress;
}

export function localPart(address: string): string {
  return address.slice(0, address.lastIndexOf("@"));
}
