/**
 * The values of a resource that a report needs, and nothing else: what is not named here is dropped as it is read. A
 * value may be a secret, or not be known yet, where any other one is expected.
 */
import { z } from "zod";
import { SECRET, UNKNOWN } from "./stack-report.ts";

/** How the engine's events name a value that only the run will know. */
const UNKNOWN_ON_WIRE = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

const hidden = z.union([
  z.literal(UNKNOWN_ON_WIRE).transform((): typeof UNKNOWN => UNKNOWN),
  z.literal(UNKNOWN),
  z.literal(SECRET),
]);
export type Hidden = typeof UNKNOWN | typeof SECRET;

/** Absent where it is missing. */
function shown<T>(schema: z.ZodType<T>) {
  return z.union([hidden, schema]).optional();
}

const text = shown(z.string());
const flag = shown(z.boolean());
const count = shown(z.number());
const texts = shown(z.array(z.union([hidden, z.string()])));
const path = z.object({ before: text, after: text }).optional();
const mxRecords = shown(
  z.array(z.union([hidden, z.object({ exchange: z.string(), preference: z.number() })])),
);
const stepLines = z.array(z.union([hidden, z.array(z.string())]));

/** Of `mxhero:tenant:TenantDomain`: what components/tenant-domain.ts says of the domain. */
const component = z.object({
  report: z
    .object({
      name: text,
      inbound: text,
      outbound: text,
      mailSystem: text,
      gateway: text,
      dns: text,
      directives: z
        .object({ server: text, mxLookup: flag, rcptLookup: text, relayServer: text })
        .optional(),
      route: z.object({ sendingFrom: texts }).optional(),
      inboundPath: path,
      outboundPath: path,
    })
    .optional(),
  steps: z
    .object({
      untimed: z.array(z.string()).optional(),
      onboarding: stepLines,
      offboarding: stepLines,
    })
    .optional(),
});

const mxTakeover = z.object({
  mx: mxRecords,
  before: mxRecords,
  after: mxRecords,
  former: z
    .array(z.object({ exchange: z.string(), preference: z.number(), ttl: z.number() }))
    .optional(),
  bypass: flag,
  overlapSeconds: count,
  handBackTo: mxRecords,
  handBackConfirmed: flag,
});

const spfInclude = z.object({ before: text, after: text, lookups: count, lookupsByTerm: text });

const route = z.object({
  inactive: flag,
  fixIt: text,
  version: count,
  store: z.object({ table: text }).optional(),
});

const drain = z.object({
  relay: text,
  quietSeconds: count,
  /** Missing where nobody here can ask the gateway who sends. */
  store: z.object({ table: text }).optional(),
});

/** What is kept of each part of a domain. */
export const PARTS = {
  component,
  mx: mxTakeover,
  spf: spfInclude,
  route,
  drain,
} as const;
export type Part = keyof typeof PARTS;

export const PART_OF_TYPE: Readonly<Record<string, Part>> = {
  "mxhero:tenant:TenantDomain": "component",
  "mxhero:index:MxTakeover": "mx",
  "mxhero:index:SpfInclude": "spf",
  "mxhero:index:Route": "route",
  "mxhero:index:Drain": "drain",
};

/** All that is kept of a domain's parts. */
export interface KeptValues {
  readonly component?: z.output<typeof component>;
  readonly mx?: z.output<typeof mxTakeover>;
  readonly spf?: z.output<typeof spfInclude>;
  readonly route?: z.output<typeof route>;
  readonly drain?: z.output<typeof drain>;
}

export type MxValues = NonNullable<KeptValues["mx"]>;
export type MxRecords = MxValues["mx"];

/** Whether a value can be looked at. */
export function isKnown<T>(value: T | Hidden | undefined): value is T {
  return value !== undefined && value !== UNKNOWN && value !== SECRET;
}
