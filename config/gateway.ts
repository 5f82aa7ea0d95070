/** The schema of a gateway's stack file: a fleet on AWS, its names in DNS, its certificate. */
import { z } from "zod";
import { fixIt } from "./domain-route.ts";
import { hostName, loopbackHost } from "./names.ts";

/** What Debian's images are called: `amd64` is x64. */
export const ARCHITECTURES = ["arm64", "x64"] as const;
export type Architecture = (typeof ARCHITECTURES)[number];

/** A slot's place in the pool of addresses is its letter's place in the alphabet: it never moves. */
const SLOT_LETTERS = Array.from("abcdefghijklmnopqrstuvwxyz");

/** CloudWatch Logs takes these only (PutRetentionPolicy). */
const RETENTION_DAYS = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288,
  3653,
] as const;

/** The slots that a pool has addresses for. */
export function slotsOfPool(pairs: number): readonly string[] {
  return SLOT_LETTERS.slice(0, pairs);
}

/** How many slots stand before the given one in the pool: 0 for `a`. */
export function slotPosition(slot: string): number {
  return SLOT_LETTERS.indexOf(slot);
}

const slotName = z
  .string()
  .regex(/^[a-z]$/)
  .meta({ description: "A slot: one lower-case letter.", examples: ["a"] });

const slots = z
  .union([z.int().min(2).max(SLOT_LETTERS.length), z.array(slotName).min(2)])
  .transform((given) => (typeof given === "number" ? SLOT_LETTERS.slice(0, given) : given))
  .meta({
    description:
      "The slots of the fleet: how many, or which. Two or more, so that one serves while the other is replaced.",
    examples: [2],
  });

const zone = z
  .strictObject({
    name: hostName({
      description: "The zone at Cloudflare that holds the gateway's names.",
      examples: ["example.com"],
    }),
    id: z
      .string()
      .regex(/^[0-9a-f]{32}$/)
      .meta({
        description: "Its id. With it the token needs nothing but DNS Write on the zone.",
        examples: ["023e105f4ecef8ad9ca31a8372d0c353"],
      }),
  })
  .meta({ description: "The zone of the gateway's names." });

const hosts = z
  .strictObject({
    smtpIn: hostName({
      description: "The endpoint for inbound mail, and the MX target. smtp-in.<domain> otherwise.",
      examples: ["smtp-in.gateway.example.com"],
    }).optional(),
    smtpRelay: hostName({
      description: "The endpoint for outbound mail. smtp-relay.<domain> otherwise.",
      examples: ["smtp-relay.gateway.example.com"],
    }).optional(),
    smtp: hostName({
      description: "The alias of smtpRelay. smtp.<domain> otherwise.",
      examples: ["smtp.gateway.example.com"],
    }).optional(),
  })
  .default({})
  .meta({ description: "Names of the endpoints, where they are others than the usual ones." });

const ownNetwork = z.strictObject({
  cidr: z
    .string()
    .regex(/^\d{1,3}(?:\.\d{1,3}){3}\/\d{1,2}$/)
    .meta({ description: "The network's addresses.", examples: ["10.20.0.0/16"] }),
  availabilityZones: z
    .array(z.string().regex(/^[a-z]{2}(?:-[a-z]+)+-\d[a-z]$/))
    .min(1)
    .meta({
      description:
        "The slots take them in turn. Only ever append: a slot's queue is tied to its zone.",
      examples: [["eu-central-1a", "eu-central-1b"]],
    }),
});

const givenNetwork = z.strictObject({
  subnets: z
    .array(z.string().regex(/^subnet-[0-9a-f]{8,17}$/))
    .min(1)
    .meta({
      description:
        "Public subnets of one VPC. The slots take them in turn. Only ever append: a slot's queue is tied to its zone.",
      examples: [["subnet-0123456789abcdef0"]],
    }),
});

const network = z
  .union([ownNetwork, givenNetwork])
  .meta({ description: "A network of the gateway's own, or subnets that exist." });

const alarms = z
  .union([
    z.strictObject({
      email: z.email().meta({
        description: "Where alarms go. AWS asks that address to confirm.",
        examples: ["operations@example.com"],
      }),
    }),
    z.strictObject({
      topic: z
        .string()
        .regex(/^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[\w-]+$/)
        .meta({
          description: "The ARN of an SNS topic.",
          examples: ["arn:aws:sns:eu-central-1:123456789012:operations"],
        }),
    }),
  ])
  .meta({ description: "Where alarms go." });

const image = z
  .strictObject({
    owner: z
      .string()
      .regex(/^\d{12}$/)
      .meta({ description: "The account that publishes it.", examples: ["136693071363"] }),
    name: z
      .string()
      .min(1)
      .meta({ description: "Its full name.", examples: ["debian-12-arm64-20260210-2384"] }),
  })
  .optional()
  .meta({ description: "Another image than the Debian 12 that this release was written for." });

const processor = z
  .strictObject({
    host: loopbackHost({
      description:
        "Where the processor listens: on the slot itself, as mail comes back from it on loopback. " +
        "127.0.0.0/8, ::1 or localhost.",
      examples: ["127.0.0.1"],
    }),
    port: z
      .int()
      .min(1)
      .max(65_535)
      .meta({ description: "Its TCP port.", examples: [10_025] }),
  })
  .optional()
  .meta({ description: "An SMTP processor that accepted mail passes through before delivery." });

/** The `gateway:` part of a gateway's stack file. */
export const gateway = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?$/)
    .meta({
      description: "The fleet's short name: up to 20 lower-case letters, digits, hyphens.",
      examples: ["example"],
    }),
  domain: hostName({
    description: "The name below which the gateway's host names stand.",
    examples: ["gateway.example.com"],
  }),
  zone,
  hosts,
  slots,
  pool: z
    .int()
    .min(4)
    .max(2 * SLOT_LETTERS.length)
    .optional()
    .meta({
      description:
        "How many Elastic IPs are reserved, two for each slot. They are published before any of them sends. " +
        "Without it: as many as the slots take.",
      examples: [4],
    }),
  instanceType: z
    .string()
    .regex(/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/)
    .default("t4g.small")
    .meta({ description: "The size of each slot's instance.", examples: ["t4g.small"] }),
  architecture: z
    .enum(ARCHITECTURES)
    .default("arm64")
    .meta({ description: "The processor of that instance type." }),
  image,
  network,
  volumeGiB: z
    .int()
    .min(1)
    .max(16_384)
    .default(20)
    .meta({ description: "The size of each slot's queue volume.", examples: [20] }),
  certificate: z
    .string()
    .min(1)
    .meta({
      description:
        "The certificate and its chain (PEM), for the names of all three endpoints, the server's own first.",
      examples: ["-----BEGIN CERTIFICATE-----…"],
    }),
  privateKey: z.string().min(1).meta({
    description: "Its private key (PEM), a secret: pulumi config set --secret gateway:privateKey.",
  }),
  fixIt: fixIt.meta({
    description:
      "Where people learn what to do once the gateway refuses mail of a domain that has left, a web or mail " +
      "address. For organisations that say nothing else.",
    examples: ["https://www.example.com/mail"],
  }),
  processor,
  nextHops: z.enum(["public", "private"]).default("public").meta({
    description:
      "public: a Server or Relay Server with a private, loopback or special address is refused.",
  }),
  alarms,
  logRetentionDays: z
    .literal(RETENTION_DAYS)
    .default(30)
    .meta({ description: "How long CloudWatch keeps what the slots log.", examples: [30] }),
  maximumMessageBytes: z
    .int()
    .min(1_048_576)
    .max(1_073_741_824)
    .default(157_286_400)
    .meta({ description: "The largest message that is accepted.", examples: [157_286_400] }),
  ttlSeconds: z
    .int()
    .min(30)
    .max(3_600)
    .default(60)
    .meta({
      description:
        "How long resolvers may keep the gateway's records. A slot that is taken out waits for so long. " +
        "Cloudflare: 60 or more, Enterprise plans 30.",
      examples: [60],
    }),
  deletionProtection: z.boolean().default(true).meta({
    description: "Whether a destroy of the fleet is refused. Switch it off by an up first.",
  }),
  awsEndpoint: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({
      description: "Where the slots speak AWS's API, if not at the region's own endpoints.",
      examples: ["https://aws.example.com"],
    }),
});

export type GatewayConfig = z.output<typeof gateway>;

/** A gateway's configuration with the region that it is in. */
export interface RegionalGatewayConfig extends GatewayConfig {
  /** `aws:region`. */
  readonly region: string;
}
