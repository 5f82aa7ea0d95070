/** What programs give to the resources of a gateway fleet, and what the state keeps of them. */
import { z } from "zod";

const text = z.string().min(1);

/** Where the fleet's route store is. */
const storeInputs = z.strictObject({
  table: text,
  region: text,
  secretPrefix: text,
  keyId: text.exactOptional(),
});

export const gatewayFleetInputs = z.strictObject({
  gateway: text,
  store: storeInputs,
  deletionProtection: z.boolean(),
});

export const gatewayHostsInputs = z.strictObject({
  gateway: text,
  store: storeInputs,
  smtpIn: text,
  smtpRelay: text,
  smtp: text,
  spf: text,
});

export const gatewayCertificateInputs = z.strictObject({
  store: storeInputs,
  certificateSecret: text,
  keySecret: text,
  certificate: text,
  privateKey: text,
});

export const gatewayCertificateOutputs = z.strictObject({
  ...gatewayCertificateInputs.shape,
  fingerprint: text,
  /** When it ends: ISO 8601. */
  expires: text,
});

export const gatewaySlotInputs = z.strictObject({
  slot: text,
  store: storeInputs,
  /** The instance that serves the slot. Another one is another resource. */
  instance: text,
  /** SHA-256 of the bundle that its agent is to run. */
  bundle: text,
  smtpIn: text,
  smtpRelay: text,
  inboundAddress: text,
  relayAddress: text,
  ttlSeconds: z.number().positive(),
  /** When the fleet's SPF record was last changed: ISO 8601. */
  spfChanged: text.exactOptional(),
});

export const gatewaySlotOutputs = z.strictObject({
  ...gatewaySlotInputs.shape,
  registered: text,
});

export const slotGuardInputs = z.strictObject({
  slot: text,
  store: storeInputs,
  /** The instance that serves the slot. Another one is another resource. */
  instance: text,
});

export const slotGuardOutputs = z.strictObject({
  ...slotGuardInputs.shape,
  /** Its mark in the route store says that the slot's records are in DNS. */
  published: z.boolean(),
});

export const slotQueueInputs = z.strictObject({
  slot: text,
  store: storeInputs,
  /** The volume that keeps the queue. Another one is another queue. */
  volume: text,
});
