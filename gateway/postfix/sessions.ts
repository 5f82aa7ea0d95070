/**
 * Whether SMTP sessions may hand in mail: a slot that is to be taken away answers 421, while its queues go on
 * being emptied.
 *
 * A map of one answer, asked when a session begins, at MAIL FROM, and at the end of a message before it is
 * accepted. So a change of it holds for open sessions, too, and no message comes in after it.
 */
import { type GatewayHostConfig, HOST_PATHS } from "../host-config.ts";

/** The map's name, beside those of the routes. */
export const SESSIONS_MAP = "sessions";

/** Its keys: what sessions are told, and by which mark the slot was closed. */
const ANSWER = "sessions";
export const MARK = "mark";

/** What stands under `MARK` while the slot is open. */
export const NO_MARK = "none";

/** The restriction class of a closed slot, to be named in `smtpd_restriction_classes`. */
export const CLOSED_SLOT = "closed_slot";

/** The source of the map. @param mark by which the slot is closed; `undefined`: it is open */
export function sessionsSource(mark: string | undefined): string {
  const answer = mark === undefined ? "DUNNO" : CLOSED_SLOT;
  // In this order: postmap commits line by line, and a mark without its answer would not be mended.
  return `${ANSWER}\t${answer}\n${MARK}\t${mark ?? NO_MARK}\n`;
}

/** RFC 3463 section 3.4: the system does not accept messages. */
const REFUSAL = "421 4.3.2 This host takes no more mail, try another one";

/** The settings of main.cf. See access(5) and RESTRICTION_CLASS_README. */
export function sessionSettings({ inbound, relay }: GatewayHostConfig): string {
  const own = [inbound.address, relay.address].map((address) => `${address}=OK`).join(", ");
  // Whoever asks, the key that is looked up is the same one, and it is found at once.
  const ask = `check_client_access pipemap:{static:${ANSWER}, lmdb:${HOST_PATHS.maps}/${SESSIONS_MAP}}`;
  return `\
# A slot that is to be taken away accepts nothing more, in open sessions either: the agent changes the map. Mail
# from tenant to tenant still goes from the relay side to the inbound one, or the queue would never be empty.
smtpd_delay_reject = no
${CLOSED_SLOT} = check_client_access inline:{${own}}, check_client_access static:{${REFUSAL}}
smtpd_client_restrictions = ${ask}
smtpd_sender_restrictions = ${ask}
smtpd_end_of_data_restrictions = ${ask}
`;
}
