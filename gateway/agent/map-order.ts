/** In which order the maps are written, so that what restricts is in place before what permits. */
import { type MapName, SECRET_MAP } from "../postfix/maps.ts";

/** `relay-transport` after the passwords: without one, the Relay Server would refuse mail for good. */
const ORDER: readonly MapName[] = [
  "inbound-recipients",
  "inbound-probes",
  "inbound-transport",
  "relay-refusals",
  "relay-passwords",
  "relay-transport",
];

export const MAPS_IN_ORDER = ORDER.map((name) => ({ name, isSecret: name === SECRET_MAP }));
