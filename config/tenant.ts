/** The schema of a tenant's stack file: one organisation, the gateway, and the organisation's domains. */
import { z } from "zod";
import { hostName, mailHost, tenantDomainName } from "./names.ts";
import { spfDomain, spfMxReplacement, spfRecord } from "./spf-texts.ts";

/** The SMTP port, where a Relay Server names no other. */
const SMTP_PORT = 25;

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

/** A gateway whose host names are the outputs of another stack. */
export const gatewayStack = z
  .strictObject({
    stack: z
      .string()
      .regex(/^[^/\s]+\/[^/\s]+\/[^/\s]+$/)
      .meta({
        description: "The gateway's stack. Its outputs are mx, smtpIn, smtpRelay and spfInclude.",
        examples: ["my-organisation/mail/gateway"],
      }),
  })
  .meta({ description: "The stack that has the gateway." });

const relayEndpoint = z.strictObject({
  host: mailHost({
    description: "The Relay Server's host name or address.",
    examples: ["relay.contoso.com"],
  }),
  port: z.int().min(1).max(65_535).default(SMTP_PORT).meta({ description: "Its TCP port." }),
});

const relayServer = z
  .union([
    mailHost({
      description: "The Relay Server's host name or address.",
      examples: ["relay.contoso.com"],
    }),
    relayEndpoint,
  ])
  .transform((relay) => (typeof relay === "string" ? { host: relay, port: SMTP_PORT } : relay))
  .optional()
  .meta({
    description:
      "The host through which outbound mail leaves the gateway: a security gateway, an archive, a filter. " +
      "Without one it goes to the recipients' MX.",
  });

const spf = z
  .strictObject({
    base: spfRecord({
      description: "The SPF record to begin with, for a domain that has none.",
      examples: ["v=spf1 -all"],
    }).optional(),
    replaceMx: z
      .array(
        spfMxReplacement({
          description: "An SPF term that names hosts which sent by the term mx until now.",
          examples: ["a:mail.contoso.com"],
        }),
      )
      .optional()
      .meta({
        description:
          "The SPF terms that stand in for mx, which names the gateway once the MX has moved. " +
          "An empty list accepts that the old MX hosts no longer send.",
      }),
  })
  .optional()
  .meta({ description: "What may be changed in the domain's SPF record." });

const inbound = z.enum(["border", "loopback", "none"]).meta({
  description:
    "How mail comes in. border: the MX points at the gateway. loopback: the mail system hands mail to the " +
    "gateway and takes it back. none: not through the gateway. The MX is touched only for border.",
});

const outbound = z.enum(["standard", "loopback", "none"]).meta({
  description:
    "How mail goes out. standard: from the gateway to the recipients' MX or to the Relay Server. " +
    "loopback: through the gateway and back to the mail system. none: not through the gateway.",
});

/** One domain of the organisation. */
export const domain = z
  .strictObject({
    name: tenantDomainName({
      description: "The mail domain, in the letters of its language or as xn--.",
      examples: ["contoso.com", "bücher.example"],
    }),
    mailSystem: z
      .enum(["microsoft365", "google", "exchange", "other"])
      .meta({ description: "What kind of system keeps the mailboxes." }),
    server: mailHost({
      description:
        "The system that finally receives the mail, a host name or an address. " +
        "It is mandatory, also where mail only goes out, and it is never the gateway.",
      examples: ["contoso-com.mail.protection.outlook.com", "smtp.google.com"],
    }),
    relayServer,
    rcptLookup: z
      .boolean()
      .default(false)
      .meta({ description: "Accept mail only for recipients that the Server knows." }),
    mxLookup: z.boolean().default(false).meta({
      description:
        "Find the Server by its MX records instead of its address: only where DNS is to decide.",
    }),
    inbound,
    outbound,
    spf,
    bypass: z.boolean().default(false).meta({
      description:
        "Put the old MX back and keep everything else: the way out in an emergency, in one line.",
    }),
    handBackTo: z.array(mxTarget).min(1).optional().meta({
      description: "The MX records that a hand-back installs instead of those that were found.",
    }),
    overlapSeconds: z.int().min(0).max(86_400).optional().meta({
      description: "How long the old and the new MX stand side by side. 60 where it is left out.",
    }),
    zoneId: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .optional()
      .meta({
        description: "The id of the Cloudflare zone. Without it the zone is found by name.",
        examples: ["023e105f4ecef8ad9ca31a8372d0c353"],
      }),
    credential: z
      .string()
      .regex(/^[A-Za-z][A-Za-z0-9_-]{0,35}$/)
      .optional()
      .meta({
        description:
          "The name of the API token, for a domain in another Cloudflare account. The token itself is " +
          "in the environment variable CLOUDFLARE_API_TOKEN_<NAME>.",
        examples: ["subsidiary"],
      }),
  })
  .meta({ description: "A mail domain of the organisation." });

/** The `mail:` part of a tenant's stack file. */
export const tenant = z.strictObject({
  organisation: z
    .string()
    .regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/)
    .max(63)
    .meta({
      description: "The short name of the organisation: lower-case letters, digits, hyphens.",
      examples: ["contoso"],
    }),
  gateway: z
    .union([gatewayHosts, gatewayStack])
    .meta({ description: "The gateway's host names, or the stack that has them as outputs." }),
  domains: z.array(domain).min(1).meta({ description: "The organisation's mail domains." }),
});

export type MxTarget = z.output<typeof mxTarget>;
export type GatewayHosts = z.output<typeof gatewayHosts>;
export type DomainConfig = z.output<typeof domain>;

/** A tenant's configuration in which the gateway's host names are known. */
export interface TenantConfig {
  readonly organisation: string;
  readonly gateway: GatewayHosts;
  readonly domains: readonly DomainConfig[];
}
