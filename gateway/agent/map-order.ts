/** In which order the maps are written, so that the way of mail is in place before the mail is accepted. */
import { type MapName, SECRET_MAP } from "../postfix/maps.ts";

/**
 * `inbound-recipients` says who is accepted. `relay-transport` after the passwords: without one, the Relay
 * Server would refuse mail for good.
 */
const ORDER: readonly MapName[] = [
  "inbound-probes",
  "inbound-transport",
  "inbound-recipients",
  "relay-passwords",
  "relay-transport",
];

export const MAPS_IN_ORDER = ORDER.map((name) => ({ name, isSecret: name === SECRET_MAP }));
