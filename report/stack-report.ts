/** What a preview says of a stack, and of the mail of each of its domains. Published as docs/report.schema.json. */
import { z } from "zod";
import { RISK_IDS, RISK_LEVELS } from "./risk-ids.ts";

/** In place of a value that only the run will know. */
export const UNKNOWN = "[not known yet]";
/** In place of a secret. */
export const SECRET = "[secret]";

/**
 * What happens to a domain. Where several happen at once, the one that comes first here is its `change`.
 *
 * - `offboard`: its mail leaves the gateway.
 * - `onboard`: its mail comes onto the gateway.
 * - `other-gateway`: its mail moves from one gateway to another.
 * - `inactivate`: the gateway will refuse its mail. `activate`: it takes it again.
 * - `bypass`: mail to it goes around the gateway for a while. `end-bypass`: it comes back.
 * - `direction`: mail in one direction, to or from it, comes onto the gateway or leaves it.
 * - `server`: the gateway hands its mail to another Server.
 * - `other`: something else changes.
 * - `unchanged`: nothing does.
 * - `unknown`: the preview failed before it could tell.
 */
export const CHANGE_KINDS = [
  "unknown",
  "offboard",
  "onboard",
  "other-gateway",
  "inactivate",
  "activate",
  "bypass",
  "end-bypass",
  "direction",
  "server",
  "other",
  "unchanged",
] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

/**
 * - `changed`: whatever this depends on was read, but for what goes: that is shown as the last run left it (`isFromState`).
 * - `unchanged`: a run would do nothing. Whether somebody else has changed the world meanwhile was not looked at.
 * - `incomplete`: something could not be read, so that nobody knows whether what would be done is safe.
 * - `failed`: there is no preview; merging would do nothing, or stop half-way.
 */
export const STACK_STATUSES = ["failed", "incomplete", "changed", "unchanged"] as const;
export type StackStatus = (typeof STACK_STATUSES)[number];

const value = z.string().meta({
  description: `"${UNKNOWN}" where only the run will know it, "${SECRET}" in place of a secret.`,
});

const fault = z.strictObject({
  code: z.string().exactOptional().meta({ description: "docs/refusals.md explains each." }),
  where: z.string().exactOptional(),
  problem: z.string(),
  fix: z.string().exactOptional(),
});

const risk = z.strictObject({
  id: z.enum(RISK_IDS).meta({ description: "docs/report.md explains each." }),
  level: z.enum(RISK_LEVELS),
  text: z.string().meta({ description: "What may happen." }),
  fix: z.string().meta({ description: "What to do about it." }),
});

const beforeAfter = z.strictObject({ before: value, after: value });
const records = z.array(value);

const domain = z.strictObject({
  domain: z.string().meta({ description: "In A-labels." }),
  displayName: z.string().meta({ description: "As its owner writes it." }),
  change: z.enum(CHANGE_KINDS),
  summary: z.string().meta({ description: "What happens to its mail, in one sentence." }),
  inboundPath: beforeAfter.exactOptional().meta({ description: "The way of mail to the domain." }),
  outboundPath: beforeAfter
    .exactOptional()
    .meta({ description: "The way of mail from the domain." }),
  mx: z
    .strictObject({ before: records, after: records })
    .exactOptional()
    .meta({ description: "Missing where the MX are not touched." }),
  spf: beforeAfter.exactOptional().meta({
    description: 'Missing where the SPF record is not touched. "" is no record.',
  }),
  spfLookups: z
    .strictObject({
      used: z.int().min(0),
      limit: z.literal(10),
      byTerm: z.array(z.strictObject({ term: z.string(), lookups: z.int().min(0) })),
    })
    .exactOptional()
    .meta({ description: "Of the record as it will be. RFC 7208, section 4.6.4 allows 10." }),
  settings: z
    .array(z.strictObject({ name: z.string(), before: value, after: value }))
    .meta({ description: "Server, Relay Server, look-ups and the like that change." }),
  notices: z.array(z.string()).meta({ description: "What senders and recipients will notice." }),
  duration: z.array(z.string()).meta({ description: "How long it will take." }),
  steps: z
    .array(z.array(z.string()))
    .meta({ description: "What a person must do, in order: the lines of each step." }),
  isFromState: z.boolean().meta({
    description:
      "MX or SPF go, and are shown as the last run left them: neither DNS nor the gateway was read for this preview.",
  }),
  risks: z.array(risk),
  unread: z.array(fault).meta({
    description: "What could not be read, and why. Where there is any, the domain is not safe.",
  }),
});

export const stackReport = z
  .strictObject({
    stack: z.string(),
    kind: z.enum(["tenant", "gateway"]),
    organisation: z.string().exactOptional(),
    status: z.enum(STACK_STATUSES),
    isDestroyed: z.boolean().meta({ description: "All of it would go, with all its domains." }),
    summary: z.string().meta({ description: "What happens to the stack, in one sentence." }),
    domains: z.array(domain),
    faults: z.array(fault).meta({ description: "Why it failed, or what could not be read." }),
    risks: z.array(risk).meta({ description: "Of the stack as a whole." }),
    technical: z.array(z.string()).meta({
      description:
        "What Pulumi would do, a line each, with + - ~ = in front. What only follows is left out.",
    }),
    changeDigest: z.string().meta({
      description:
        "SHA-256 of exactly what would be done: equal where a later preview would do the same.",
    }),
  })
  .meta({ title: "What a preview says of a stack" });

export const stackReports = z.array(stackReport);

export type StackReport = z.output<typeof stackReport>;
export type DomainReport = z.output<typeof domain>;
export type Fault = z.output<typeof fault>;
export type Risk = z.output<typeof risk>;
