/**
 * Spells of a domain's traffic: one message after the other, until for an hour none came. So a person is told
 * of the traffic of now, and not of a message of last week.
 */
import type { LastClients, LastMail, MailSpell } from "./route.ts";

/** After so long without mail the next message begins another spell. In seconds. */
export const SPELL_GAP_SECONDS = 3_600;

/** More addresses tell a person no more. */
export const MOST_CLIENTS = 5;

/** A message that passed. */
export type PassedMessage = Pick<LastMail, "at" | "from">;

/** What is known of a domain's mail with its spell and its clients. */
export type KnownMail = Required<LastMail>;

/**
 * What is known once a message has passed. Messages come as they are logged, so in the order of time.
 *
 * @param known what was known before it
 * @param watchedSince since when messages are seen. ISO 8601, UTC
 */
export function withMessage(
  known: KnownMail | undefined,
  { at, from }: PassedMessage,
  watchedSince: string,
): KnownMail {
  return {
    at,
    from,
    spell: spellWith(known, at),
    clients: clientsWith(known?.clients ?? { knownSince: watchedSince, latest: [] }, { at, from }),
  };
}

function spellWith(known: KnownMail | undefined, at: string): MailSpell {
  if (known === undefined) return { since: at, messages: 1 };
  const gap = (Date.parse(at) - Date.parse(known.at)) / 1000;
  if (gap >= SPELL_GAP_SECONDS) return { since: at, messages: 1 };
  return { since: known.spell.since, messages: known.spell.messages + 1 };
}

/** A client that no longer has a place is known no more: those that sent after it are. */
function clientsWith({ knownSince, latest }: LastClients, message: PassedMessage): LastClients {
  const all = [message, ...latest.filter(({ from }) => from !== message.from)];
  const dropped = all[MOST_CLIENTS];
  return { knownSince: dropped?.at ?? knownSince, latest: all.slice(0, MOST_CLIENTS) };
}
