/** Mail in both directions at a steady rate: strangers to tenants, tenants to strangers and to one another. */
import { composeMessage } from "../message.ts";
import type { Letter, MailServer } from "./mail-server.ts";
import { outside, outsideReader, type SoakWorld } from "./soak-world.ts";
import { mailbox, type Tenant } from "./tenant.ts";

export interface Traffic {
  /** No further message is begun. */
  end(): void;
  /** Senders stop to try, and keep what they have. Resolves when none of them is at work. */
  stop(): Promise<void>;
}

/** A message before it has its number. */
interface Draft {
  readonly direction: "in" | "out";
  readonly tenant: Tenant;
  readonly sender: string;
  readonly server: MailServer;
  readonly senderDomain: string;
  readonly recipient: string;
  readonly owner: string;
  readonly unknownUser: boolean;
  readonly smarthost: () => string | undefined;
}

/** Of so many messages that a tenant gets from the world, one is for nobody. */
const toNobody = 11;
/** Of so many messages that a tenant sends, one goes to another tenant. */
const toTenants = 4;

/**
 * @param intervalMilliseconds between two messages
 * @param name stands in the ids of its messages
 */
export function startTraffic(
  world: SoakWorld,
  tenants: readonly Tenant[],
  intervalMilliseconds: number,
  name = "soak",
): Traffic {
  const stopped = new AbortController();
  const underWay: Promise<void>[] = [];
  let number = 0;
  const timer = setInterval(() => {
    const draft = draftOf(world, tenants, number);
    const id = `${draft.direction}-${draft.tenant.spec.name}-${name}-${number}`;
    underWay.push(deliver(world, draft, id, stopped.signal));
    number += 1;
  }, intervalMilliseconds);
  return {
    end: () => clearInterval(timer),
    stop: async () => {
      clearInterval(timer);
      stopped.abort();
      await Promise.all(underWay);
    },
  };
}

/** One tenant after the other; for each, in and out by turns. */
function draftOf({ strangers }: SoakWorld, tenants: readonly Tenant[], number: number): Draft {
  const tenant = at(tenants, number);
  const round = Math.floor(number / tenants.length);
  const turn = Math.floor(round / 2);
  if (round % 2 === 0) {
    const { kind, domain, server } = at(strangers, turn);
    const unknownUser = turn % toNobody === toNobody - 1;
    return {
      direction: "in",
      tenant,
      sender: kind,
      server,
      senderDomain: domain,
      recipient: `${unknownUser ? "nobody" : mailbox}@${tenant.domain}`,
      owner: tenant.spec.name,
      unknownUser,
      smarthost: () => undefined,
    };
  }
  const other = tenants.length > 1 && turn % toTenants === 0 ? at(tenants, number + 1) : undefined;
  return {
    direction: "out",
    tenant,
    sender: "tenant",
    server: tenant.mailServer,
    senderDomain: tenant.domain,
    recipient: other === undefined ? outsideReader : `${mailbox}@${other.domain}`,
    owner: other?.spec.name ?? outside,
    unknownUser: false,
    smarthost: () => tenant.smarthost,
  };
}

async function deliver({ book }: SoakWorld, draft: Draft, id: string, stopped: AbortSignal) {
  const { direction, tenant, sender, server, senderDomain, recipient, smarthost } = draft;
  const from = `${id}@${senderDomain}`;
  const content = composeMessage({ id, from, to: recipient, subject: "Soak" });
  const letter: Letter = { sender: from, recipient, content };
  const begun = Date.now();
  const origin = server.options.address;
  const { owner, unknownUser } = draft;
  book.begin({
    id,
    direction,
    tenant: tenant.spec.name,
    sender,
    owner,
    unknownUser,
    begun,
    origin,
  });
  book.settle(id, await server.send(letter, smarthost, stopped));
}

function at<T>(items: readonly T[], number: number): T {
  const item = items[number % items.length];
  if (item === undefined) throw new RangeError("There is nobody to send mail");
  return item;
}
