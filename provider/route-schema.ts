/** What a program gives to `Route`, and what the state keeps of it. */
import { z } from "zod";
import { QUIET_SECONDS } from "../mail/outbound-quiet.ts";
import { OUTBOUND_FLOWS, TLS_LEVELS } from "../mail/route.ts";
import { MAIL_SYSTEM_KINDS } from "../mail/sending-setting.ts";

const text = z.string().min(1);

const relayServer = z.strictObject({
  host: z.string(),
  port: z.int().min(1).max(65_535),
  tls: z.enum(TLS_LEVELS),
  login: z.strictObject({ user: text, password: text }).exactOptional(),
});

/** Where the password lies in the inputs. */
export const PASSWORD = ["relayServer", "login", "password"] as const;

export const storePlace = z.strictObject({
  table: text,
  region: text,
  secretPrefix: text,
  keyId: text.exactOptional(),
});

/** What must be known before mail that goes out through the gateway may be refused. */
const sending = z.strictObject({
  mailSystem: z.enum(MAIL_SYSTEM_KINDS),
  /** The gateway's endpoint for outbound mail. */
  relay: text,
  /** For how long nothing must have been sent; 0: nobody asks. */
  quietSeconds: z.number().min(0).default(QUIET_SECONDS),
  /** The gateway's SPF domain, where the domain's SPF record names it. */
  include: text.exactOptional(),
  /** The gateway's endpoint to which the mail system hands inbound mail. Missing: it hands none over. */
  handsOverTo: text.exactOptional(),
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
  /** Missing: nobody asks whether someone still sends before a change refuses it. */
  sending: sending.exactOptional(),
  inactive: z.boolean().default(false),
  /** The stack has an `SpfInclude` for the domain, which keeps former gateways' terms in its SPF record. */
  editsSpf: z.boolean().default(false),
});

/** A gateway that the domain has moved away from, where it is still served. */
const formerGateway = z.strictObject({
  store: storePlace,
  /** Its names and addresses. */
  hosts: z.array(z.string()),
  sending: sending.exactOptional(),
  /** Since when the domain's MX does not name it. ISO 8601, UTC. */
  mxGoneSince: z.string().exactOptional(),
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
  /** Gateways that the domain was at before, where it still has to be given up. */
  formerGateways: z.array(formerGateway).default([]),
  /** Their SPF domains, which the domain's SPF record must still name. */
  formerIncludes: z.array(z.string()).default([]),
  /** Mail still leaves as before: the domain's SPF record did not name the gateway yet. */
  awaitsSpf: z.boolean().default(false),
});

export type RouteInputs = z.output<typeof routeInputs>;
export type RouteOutputs = z.output<typeof routeOutputs>;
export type FormerGateway = z.output<typeof formerGateway>;
export type StorePlace = z.output<typeof storePlace>;
