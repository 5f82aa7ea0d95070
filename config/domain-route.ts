/** What a domain's entry in a stack file says of its route: recipients, Relay Server, who may send. */
import { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";
import { parseFixIt } from "../mail/fix-it.ts";
import { parseMailAddress } from "../mail/mail-address.ts";
import { SMTP_PORT, TLS_LEVELS } from "../mail/route.ts";
import { parseSendingIdentity } from "../mail/sending-identity.ts";
import { mailHost } from "./names.ts";
import { parsedText } from "./parsed-text.ts";

/** A name of an entry below `mail:relayPasswords`. */
export const PASSWORD_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,35}$/;

const passwordName = parsedText(
  {
    description:
      "The name of the password below mail:relayPasswords, never the password itself: " +
      "pulumi config set --secret --path mail:relayPasswords.<name>",
    examples: ["relay"],
  },
  (text) => {
    if (PASSWORD_NAME.test(text)) return text;
    // What stands here may be the password, so it is not shown.
    throw new MailRuleError({
      code: "relay-password-name",
      problem: "It is not the name of a password.",
      fix: 'Write the name that the password has below mail:relayPasswords, such as "relay".',
    });
  },
);

const relayEndpoint = z.strictObject({
  host: mailHost({
    description: "The Relay Server's host name or address.",
    examples: ["relay.contoso.com"],
  }),
  port: z.int().min(1).max(65_535).default(SMTP_PORT).meta({ description: "Its TCP port." }),
  tls: z
    .enum(TLS_LEVELS)
    .optional()
    .meta({
      description:
        "How the connection is protected. opportunistic: TLS where the host offers it, which is meant where it " +
        "is left out. required: TLS, whatever the certificate. verified: the certificate must be valid for the host.",
    }),
  login: z
    .strictObject({
      user: z
        .string()
        .min(1)
        .meta({ description: "The user.", examples: ["gateway@contoso.com"] }),
      passwordName,
    })
    .optional()
    .meta({ description: "How the gateway logs in there. It needs tls: required or verified." }),
});

export const relayServer = z
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

const recipient = parsedText(
  { description: "An address of the domain that exists.", examples: ["info@contoso.com"] },
  parseMailAddress,
);

export const rcptLookup = z
  .union([z.boolean(), z.array(recipient)])
  .default(false)
  .meta({
    description:
      "Accept mail only for recipients that exist. true: the Server is asked (by probe). A list: the addresses " +
      "in it. false: all, and mail to unknown users comes back to senders that may be forged.",
    examples: [true],
  });

// The widest is admitted here; what a public gateway refuses is known with the gateway.
const sendingIdentity = parsedText(
  {
    description:
      "An address or network that is the organisation's own, or the SHA-256 fingerprint of a client certificate.",
    examples: ["192.0.2.7"],
  },
  (text) => parseSendingIdentity(text, "private"),
);

export const sendingFrom = z
  .array(sendingIdentity)
  .min(1)
  .optional()
  .meta({
    description:
      "By what the gateway recognises the mail system that sends as the domain. It is needed for outbound " +
      "standard and loopback. Networks of Microsoft 365 and Google, which all their tenants share, are refused.",
  });

export const probeRecipient = parsedText(
  {
    description:
      "An address of the domain that exists. Every slot of the gateway asks the Server for it before the " +
      "route is used, and the former mail system is asked for it before the MX are put back. postmaster, which " +
      "is asked for otherwise, often does not exist on Microsoft 365.",
    examples: ["info@contoso.com"],
  },
  parseMailAddress,
).optional();

export const fixIt = parsedText(
  {
    description:
      "Where people learn what to do once the gateway refuses mail, a web or mail address. It stands in SMTP replies.",
    examples: ["https://www.contoso.com/mail"],
  },
  parseFixIt,
).optional();
