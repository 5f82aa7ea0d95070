/** The schema of the gateway in a tenant's stack file: its host names, or the stack that has them. */
import { z } from "zod";
import { NEXT_HOPS } from "../mail/address-scope.ts";
import { hostName } from "./names.ts";
import { spfDomain } from "./spf-texts.ts";

/** One MX record. */
export const mxTarget = z
  .strictObject({
    exchange: hostName({
      description: "The host that receives the mail: a host name, never an address (RFC 5321).",
      examples: ["smtp-in.mxhero.com"],
    }),
    preference: z
      .int()
      .min(0)
      .max(65_535)
      .meta({ description: "Senders try the lowest first.", examples: [10] }),
  })
  .meta({ description: "One MX record." });

const gatewaySpfInclude = spfDomain({
  description:
    "The domain of the gateway's SPF record. It is needed where mail leaves through the gateway.",
  examples: ["_spf.gateway.example.com"],
}).optional();

/** The host names of a gateway. */
export const gatewayHosts = z
  .strictObject({
    mx: z
      .array(mxTarget)
      .min(1)
      .meta({ description: "The MX records of a domain whose mail comes in through the gateway." }),
    smtpIn: hostName({
      description: "The gateway's endpoint for inbound mail.",
      examples: ["smtp-in.mxhero.com"],
    }),
    smtpRelay: hostName({
      description: "The gateway's endpoint for outbound mail. It is never an MX target.",
      examples: ["smtp-relay.mxhero.com"],
    }),
    spfInclude: gatewaySpfInclude,
  })
  .meta({ description: "The host names of the gateway." });

/** Where a gateway of one's own keeps its routes. */
const routeStore = z.object({
  table: z.string().min(1),
  region: z.string().min(1),
  secretPrefix: z.string().min(1),
  keyId: z.string().min(1).optional(),
  nextHops: z.enum(NEXT_HOPS),
});

/** What a gateway's stack has as outputs, as far as a tenant needs it. */
export const gatewayOutputs = gatewayHosts.extend({
  /** The alias of `smtpRelay`. */
  smtp: z.string().optional(),
  routeStore: routeStore.optional(),
  slots: z.array(z.string()).optional(),
  /** By slot, those in reserve included. */
  addresses: z.record(z.string(), z.object({ inbound: z.string(), relay: z.string() })).optional(),
  /** Where people learn what to do once mail is refused, for tenants that say nothing else. */
  fixIt: z.string().optional(),
});

/** A gateway whose host names are the outputs of another stack. */
export const gatewayStack = z
  .strictObject({
    stack: z
      .string()
      .regex(/^[^/\s]+\/[^/\s]+\/[^/\s]+$/)
      .meta({
        description:
          "The gateway's stack. Its outputs are mx, smtpIn, smtpRelay, spfInclude and routeStore.",
        examples: ["organization/mail/gateway"],
      }),
    excludeSlots: z
      .array(z.string().min(1))
      .min(1)
      .optional()
      .meta({
        description:
          "Slots of the gateway that are dead. A route waits until every slot has proven it and holds it; " +
          "these are not waited for. A slot that comes back takes the routes over by itself: delete it here then.",
        examples: ["b"],
      }),
  })
  .meta({ description: "The stack that has the gateway." });

/** The gateway's own names and addresses, as far as they are known, each once. */
export function gatewayNames({
  mx = [],
  smtpIn,
  smtpRelay,
  smtp,
  addresses = {},
}: { readonly [Key in keyof Gateway]?: Gateway[Key] | undefined }): string[] {
  const pairs = Object.values(addresses).flatMap(({ inbound, relay }) => [inbound, relay]);
  const names = [...mx.map(({ exchange }) => exchange), smtpIn, smtpRelay, smtp, ...pairs];
  return [...new Set(names.filter((name) => name !== undefined))];
}

export type MxTarget = z.output<typeof mxTarget>;
export type GatewayHosts = z.output<typeof gatewayHosts>;

/** A gateway as a plan needs it. Without a `routeStore` its routes are kept elsewhere. */
export interface Gateway extends z.output<typeof gatewayOutputs> {
  readonly excludeSlots?: readonly string[] | undefined;
}
