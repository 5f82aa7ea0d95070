/** What a program gives to `SpfInclude`, and what the state keeps of it. */
import { z } from "zod";
import { zoneInputs, zoneOutputs } from "./mx-takeover-schema.ts";

export const spfIncludeInputs = z.strictObject({
  ...zoneInputs,
  include: z.string().min(1).exactOptional(),
  /** SPF domains of gateways that the domain was at before, and that may still send its mail. */
  alsoInclude: z.array(z.string().min(1)).min(1).exactOptional(),
  replacements: z.array(z.string()).exactOptional(),
  base: z.string().exactOptional(),
  /** The gateway's endpoint for outbound mail: by it one gateway is told from another. */
  relay: z.string().min(1).exactOptional(),
  /** Nobody here can ask the gateway what goes out through it; a person is asked. */
  unseen: z.boolean().exactOptional(),
});

export const spfIncludeOutputs = z.strictObject({
  ...spfIncludeInputs.shape,
  ...zoneOutputs,
  /** The terms that the claim in the journal holds: what a delete takes out, should the journal be lost. */
  claimedTerms: z.array(z.string()).exactOptional(),
  before: z.string(),
  after: z.string(),
  lookups: z.number(),
  lookupsByTerm: z.string(),
});

export type SpfIncludeInputs = z.output<typeof spfIncludeInputs>;
export type SpfIncludeOutputs = z.output<typeof spfIncludeOutputs>;
