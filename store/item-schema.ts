/** What the JSON texts in the table's items must look like. Unknown keys are faults: nobody else writes there. */
import { z } from "zod";
import {
  type LastMail,
  OUTBOUND_FLOWS,
  type QueuedMail,
  type Route,
  type RouteProof,
  type RouteRecord,
  type SlotReport,
  TLS_LEVELS,
} from "../mail/route.ts";

const text = z.string().min(1);
/** An instant in ISO 8601, UTC. */
const instant = z.iso.datetime();

const relayServer = z.strictObject({
  host: text,
  port: z.int().min(1).max(65_535),
  tls: z.enum(TLS_LEVELS),
  login: z.strictObject({ user: text, secret: text, secretVersion: z.int() }).exactOptional(),
});

const rcptLookup = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("off") }),
  z.strictObject({ kind: z.literal("probe") }),
  z.strictObject({ kind: z.literal("list"), recipients: z.array(text) }),
]);

const identity = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("network"), network: text }),
  z.strictObject({ kind: z.literal("certificate"), fingerprint: text }),
]);

export const route = z.strictObject({
  domain: text,
  server: text,
  mxLookup: z.boolean(),
  rcptLookup,
  inbound: z.boolean(),
  outbound: z.enum(OUTBOUND_FLOWS),
  relayServer: relayServer.exactOptional(),
  identities: z.array(identity),
  probeRecipient: text,
  fixIt: text,
}) satisfies z.ZodType<Route>;

const outboundWay = route.pick({ outbound: true, relayServer: true });
const formerServer = route.pick({ server: true, mxLookup: true }).extend({
  until: instant,
  accepts: route.pick({ rcptLookup: true }).extend({ until: instant }).exactOptional(),
});
const numberedRoute = z.strictObject({ version: z.int(), route });

export const routeRecord: z.ZodType<RouteRecord> = z.strictObject({
  domain: text,
  holder: z.strictObject({ organisation: text, claims: z.array(text) }),
  revision: z.int().min(1),
  active: numberedRoute.exactOptional(),
  formerWay: outboundWay.exactOptional(),
  formerServer: formerServer.exactOptional(),
  proposed: numberedRoute.exactOptional(),
  leaving: z
    .strictObject({ since: instant, deferFrom: instant, refuseFrom: instant, expires: instant })
    .exactOptional(),
  inactive: z.strictObject({ since: instant, refuseFrom: instant }).exactOptional(),
});

export const routeProof: z.ZodType<RouteProof> = z.strictObject({
  version: z.int(),
  at: instant,
  verdict: z.enum(["proven", "trying", "failed"]),
  steps: z.array(z.strictObject({ action: z.string(), outcome: z.string() })),
  code: text.exactOptional(),
});

const passedMail = z.strictObject({ at: instant, from: text });

export const lastMail: z.ZodType<LastMail> = passedMail.extend({
  spell: z.strictObject({ since: instant, messages: z.int().min(1) }).exactOptional(),
  clients: z
    .strictObject({ knownSince: instant, latest: z.array(passedMail).min(1) })
    .exactOptional(),
});

export const queuedMail: z.ZodType<QueuedMail> = z.strictObject({
  at: instant,
  messages: z.int().min(0),
  since: instant,
});

export const slotReport: z.ZodType<SlotReport> = z.strictObject({
  slot: text,
  heartbeat: instant,
  bundle: z.string(),
  healthy: z.boolean(),
  faults: z.array(z.string()),
  queued: z.int().min(0).exactOptional(),
  toldUntil: instant.exactOptional(),
  closing: z.strictObject({ mark: text, isClosed: z.boolean() }).exactOptional(),
});
