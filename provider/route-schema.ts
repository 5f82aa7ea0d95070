/** What a program gives to `Route`, and what the state keeps of it. */
import { z } from "zod";
import { OUTBOUND_FLOWS, TLS_LEVELS } from "../mail/route.ts";

const text = z.string().min(1);

const relayServer = z.strictObject({
  host: z.string(),
  port: z.int().min(1).max(65_535),
  tls: z.enum(TLS_LEVELS),
  login: z.strictObject({ user: text, password: text }).exactOptional(),
});

/** Where the password lies in the inputs. */
export const PASSWORD = ["relayServer", "login", "password"] as const;

const storePlace = z.strictObject({
  table: text,
  region: text,
  secretPrefix: text,
  keyId: text.exactOptional(),
});

export const routeInputs = z.strictObject({
  organisation: text,
  domain: text,
  store: storePlace,
  gatewayHosts: z.array(z.string()),
  nextHops: z.enum(["public", "private"]),
  server: z.string(),
  mxLookup: z.boolean(),
  rcptLookup: z.enum(["off", "probe", "list"]),
  recipients: z.array(z.string()).exactOptional(),
  inbound: z.boolean(),
  outbound: z.enum(OUTBOUND_FLOWS),
  relayServer: relayServer.exactOptional(),
  sendingFrom: z.array(z.string()),
  probeRecipient: z.string(),
  fixIt: z.string(),
  excludeSlots: z.array(z.string()).default([]),
  inactive: z.boolean().default(false),
});

export const routeOutputs = z.strictObject({
  ...routeInputs.shape,
  claim: z.string(),
  /** The version that serves; 0: none does yet. */
  version: z.int(),
  /** The slots that have proven it and hold it. */
  slots: z.array(z.string()),
  /** The version that this resource brought about. Another one serving was brought by someone else. */
  ownVersion: z.int(),
  /** Which password lies in the parameter store: when it was written, in milliseconds since 1970. */
  secretVersion: z.int().exactOptional(),
  /** Stores of gateways that the domain was at before, where it still has to be given up. */
  formerStores: z.array(storePlace).exactOptional(),
});

export type RouteInputs = z.output<typeof routeInputs>;
export type RouteOutputs = z.output<typeof routeOutputs>;
export type StorePlace = z.output<typeof storePlace>;
