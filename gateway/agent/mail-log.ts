/**
 * Reads from Postfix's log which domain's mail passed, and from which client it came.
 *
 * A message is spread over lines of several daemons, tied together by its queue id. The lines are those of
 * Postfix 3.7: `smtpd … client=`, `qmgr … from=<>`, `smtp … to=<>, … status=sent`, `qmgr … removed`.
 */

import { domainOfAddress } from "../../mail/mail-address.ts";
import type { PassedMessage } from "../../mail/mail-spell.ts";
import type { MailDirection } from "../../mail/route-life.ts";

/** Mail of a domain that passed. */
export interface PassedMail {
  readonly domain: string;
  readonly direction: MailDirection;
  readonly mail: PassedMessage;
}

interface Message {
  readonly client: string;
  sender?: string;
}

interface Line {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly daemon: string;
  readonly queueId: string;
  readonly text: string;
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const STAMP =
  /^(?<month>[A-Z][a-z]{2}) +(?<day>\d+) (?<hour>\d\d):(?<minute>\d\d):(?<second>\d\d)$/;
const LINE =
  /^(?<stamp>[A-Z][a-z]{2} +\d+ \d\d:\d\d:\d\d) \S+ [^/ ]+\/(?:[^/ ]+\/)*(?<daemon>[a-z]+)\[\d+\]: (?<queueId>[0-9A-Za-z]+): (?<text>.*)$/;

/** How many messages are kept in mind: those whose end is not yet logged. */
const MAXIMUM_MESSAGES = 50_000;

/** Follows the log of one instance. */
export class MailLog {
  readonly #direction: MailDirection;
  readonly #messages = new Map<string, Message>();
  /** The time of the last line: most lines have the same second as the one before. */
  #last: { readonly stamp: string; readonly at: string } = { stamp: "", at: "" };

  constructor(direction: MailDirection) {
    this.#direction = direction;
  }

  /**
   * @param line without its line end
   * @param now tells the year, which the log leaves out
   * @returns the mail that passed by this line. Outbound mail passes when it is accepted, inbound mail when
   *   it is delivered.
   */
  read(line: string, now: Date): PassedMail | undefined {
    // Of a message's lines these count. The others are left at once: on a busy slot there are thousands a second.
    const tells = this.#direction === "outbound" ? ": from=<" : " status=sent ";
    if (!line.includes(": client=") && !line.includes(tells) && !line.endsWith(": removed")) {
      return undefined;
    }
    const parsed = this.#parse(line, now);
    if (parsed === undefined) return undefined;
    const { queueId, text, daemon } = parsed;
    if (daemon === "smtpd") this.#begin(parsed);
    const message = this.#messages.get(queueId);
    if (message === undefined) return undefined;
    if (text === "removed") this.#messages.delete(queueId);
    return this.#direction === "outbound"
      ? this.#accepted(message, parsed)
      : delivered(message, parsed);
  }

  #parse(line: string, now: Date): Line | undefined {
    const { stamp, daemon, queueId, text } = LINE.exec(line)?.groups ?? {};
    if (stamp === undefined || daemon === undefined) return undefined;
    if (queueId === undefined || text === undefined) return undefined;
    if (stamp !== this.#last.stamp) this.#last = { stamp, at: readTime(stamp, now) };
    return { at: this.#last.at, daemon, queueId, text };
  }

  #begin({ queueId, text }: Line): void {
    const client = /^client=[^[]*\[([0-9a-fA-F.:]+)\]/.exec(text)?.[1];
    // What comes back from the processor was counted when it came in.
    if (client === undefined || client === "127.0.0.1" || client === "::1") return;
    if (this.#messages.size >= MAXIMUM_MESSAGES) {
      const [oldest = ""] = this.#messages.keys();
      this.#messages.delete(oldest);
    }
    this.#messages.set(queueId, { client });
  }

  /** The queue manager names the sender at every attempt; only the first one is the acceptance. */
  #accepted(message: Message, { daemon, text, at }: Line): PassedMail | undefined {
    if (daemon !== "qmgr" || message.sender !== undefined) return undefined;
    const sender = /^from=<([^>]*)>/.exec(text)?.[1];
    if (sender === undefined) return undefined;
    message.sender = sender;
    return passed(sender, "outbound", { at, from: message.client });
  }
}

function delivered({ client }: Message, { text, at }: Line): PassedMail | undefined {
  const [, recipient] = /^to=<([^>]*)>,.* status=sent /.exec(text) ?? [];
  if (recipient === undefined) return undefined;
  return passed(recipient, "inbound", { at, from: client });
}

function passed(
  address: string,
  direction: MailDirection,
  mail: PassedMessage,
): PassedMail | undefined {
  const domain = domainOfAddress(address);
  return domain === "" ? undefined : { domain, direction, mail };
}

/** In the host's own time zone. */
function readTime(stamp: string, now: Date): string {
  const { month = "", day, hour, minute, second } = STAMP.exec(stamp)?.groups ?? {};
  const inYear = (year: number) =>
    new Date(
      year,
      MONTHS.indexOf(month),
      Number(day),
      Number(hour),
      Number(minute),
      Number(second),
    );
  const thisYear = inYear(now.getFullYear());
  // In January the lines of December are those of the year before.
  const isAhead = thisYear.getTime() > now.getTime() + 86_400_000;
  return (isAhead ? inYear(now.getFullYear() - 1) : thisYear).toISOString();
}
