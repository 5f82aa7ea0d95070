/** The schema of a tenant's stack file: one organisation, the gateway, and the organisation's domains. */
import { z } from "zod";
import { QUIET_SECONDS } from "../mail/outbound-quiet.ts";
import { MAIL_SYSTEM_KINDS } from "../mail/sending-setting.ts";
import {
  fixIt,
  PASSWORD_NAME,
  probeRecipient,
  rcptLookup,
  relayServer,
  sendingFrom,
} from "./domain-route.ts";
import { type Gateway, gatewayHosts, gatewayStack, mxTarget } from "./gateway-hosts.ts";
import { mailHost, tenantDomainName } from "./names.ts";
import { spfMxReplacement, spfRecord } from "./spf-texts.ts";

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

const inactive = z.boolean().optional();

/** One domain of the organisation. */
export const domain = z
  .strictObject({
    name: tenantDomainName({
      description: "The mail domain, in the letters of its language or as xn--.",
      examples: ["contoso.com", "bücher.example"],
    }),
    mailSystem: z
      .enum(MAIL_SYSTEM_KINDS)
      .meta({ description: "What kind of system keeps the mailboxes." }),
    server: mailHost({
      description:
        "The system that finally receives the mail, a host name or an address. " +
        "It is mandatory, also where mail only goes out, and it is never the gateway.",
      examples: ["contoso-com.mail.protection.outlook.com", "smtp.google.com"],
    }),
    relayServer,
    rcptLookup,
    mxLookup: z.boolean().default(false).meta({
      description:
        "Find the Server by its MX records instead of its address: only where DNS is to decide.",
    }),
    inbound,
    outbound,
    sendingFrom,
    probeRecipient,
    fixIt,
    spf,
    bypass: z.boolean().default(false).meta({
      description:
        "Put the old MX back and keep everything else: the way out in an emergency, in one line.",
    }),
    inactive: inactive.meta({
      description:
        "Whether the gateway refuses the domain's mail, in both directions: for 2 days with 4xx, then with 5xx " +
        "and the fixIt address. Everything else stays, the domain's MX among it. As mail:inactive where it is left out.",
    }),
    handBackTo: z.array(mxTarget).min(1).optional().meta({
      description: "The MX records that a hand-back installs instead of those that were found.",
    }),
    handBackConfirmed: z
      .boolean()
      .default(false)
      .meta({
        description:
          "The administrator's word that the mail system takes mail from everyone, not from the gateway only: " +
          "the MX may be put back without a proof of it.",
      }),
    overlapSeconds: z.int().min(0).max(86_400).optional().meta({
      description: "How long the old and the new MX stand side by side. 60 where it is left out.",
    }),
    dns: z
      .enum(["cloudflare", "manual"])
      .default("cloudflare")
      .meta({
        description:
          "Where the domain's DNS is. manual: anywhere; a person changes the records, and a run stops at " +
          "each change, shows it, and goes on once every name server has it.",
      }),
    quietSeconds: z
      .int()
      .min(0)
      .max(604_800)
      .optional()
      .meta({
        description:
          "For how long the domain, or a sender of it, must have sent nothing through the gateway before the " +
          "gateway may refuse its mail. " +
          `${QUIET_SECONDS} (a day) where it is left out. 0: nobody asks, and mail that still goes out may be lost.`,
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
  fixIt,
  relayPasswords: z
    .record(z.string().regex(PASSWORD_NAME), z.string().min(1))
    .optional()
    .meta({
      description:
        "The passwords of Relay Servers, by the name that a login gives: " +
        "pulumi config set --secret --path mail:relayPasswords.<name>",
    }),
  inactive: inactive.meta({
    description:
      "Whether the organisation's subscription has ended: the gateway refuses the mail of all its domains. " +
      "false where it is left out.",
  }),
  domains: z.array(domain).min(1).meta({ description: "The organisation's mail domains." }),
});

export type DomainConfig = z.output<typeof domain>;

/** A tenant's configuration in which the gateway is known. */
export interface TenantConfig {
  readonly organisation: string;
  readonly gateway: Gateway;
  /** For domains that have no other. */
  readonly fixIt?: string | undefined;
  /** For domains that say nothing else. @default false */
  readonly inactive?: boolean | undefined;
  /** Secrets, by name. */
  readonly relayPasswords?: Readonly<Record<string, string>> | undefined;
  readonly domains: readonly DomainConfig[];
}
