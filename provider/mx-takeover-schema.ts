/** What a program gives to `MxTakeover`, and what the state keeps of it. */
import { z } from "zod";
import { PHASES } from "../mail/journal.ts";

const mxRecord = z.strictObject({
  exchange: z.string(),
  preference: z.number().int().min(0).max(65_535),
});

export const zoneInputs = {
  organisation: z.string().min(1),
  domain: z.string().min(1),
  /** `manual`: a person changes the records. @default cloudflare */
  dns: z.enum(["cloudflare", "manual"]).exactOptional(),
  zoneId: z.string().min(1).exactOptional(),
  credential: z.string().min(1).exactOptional(),
};

/** What both resources keep of the zone they found at Cloudflare, and of their right to it. */
export const zoneOutputs = {
  zone: z.strictObject({ id: z.string(), name: z.string() }).exactOptional(),
  claim: z.string(),
};

export const mxTakeoverInputs = z.strictObject({
  ...zoneInputs,
  mx: z.array(mxRecord).min(1),
  server: z.string(),
  mxLookup: z.boolean().default(false),
  bypass: z.boolean().default(false),
  overlapSeconds: z.number().min(0).default(60),
  handBackTo: z.array(mxRecord).min(1).exactOptional(),
  spfTerms: z.array(z.string()).exactOptional(),
  handBackConfirmed: z.boolean().default(false),
  probeRecipient: z.string().exactOptional(),
  gatewayHosts: z.array(z.string()).default([]),
  inactive: z.boolean().default(false),
  probeGateway: z.boolean().default(false),
});

export const mxTakeoverOutputs = z.strictObject({
  ...mxTakeoverInputs.shape,
  ...zoneOutputs,
  /** A copy of the journal, for the case that someone deletes it from DNS; with `dns: manual` the only one. */
  journal: z.strictObject({
    /** Only with `dns: manual`: elsewhere DNS tells. */
    phase: z.enum(PHASES).exactOptional(),
    former: z.array(z.strictObject({ ...mxRecord.shape, ttl: z.number() })),
    revision: z.number(),
    server: z.string(),
    inherited: z.string().exactOptional(),
  }),
  /** The gateway's MX of before that still stand, as after an update that was not finished. */
  knownMx: z.array(mxRecord).exactOptional(),
  before: z.array(mxRecord),
  after: z.array(mxRecord),
  /** The MX of before the takeover, with their TTLs in seconds; 1 is "automatic". A state of before has none. */
  former: z.array(z.strictObject({ ...mxRecord.shape, ttl: z.number() })).exactOptional(),
  /** Absent while the former MX stand, or where it is not known yet. ISO 8601, UTC. */
  lockDownSafeFrom: z.iso.datetime().exactOptional(),
});

export type MxTakeoverInputs = z.output<typeof mxTakeoverInputs>;
export type MxTakeoverOutputs = z.output<typeof mxTakeoverOutputs>;
