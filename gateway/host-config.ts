/**
 * The configuration of one gateway host: the file that its user data writes, and where things lie.
 *
 * It names secrets, and holds none.
 */
import { isIP } from "node:net";
import { z } from "zod";

/** Where things lie on a gateway host. Postfix and the agent are both told from here. */
export const HOST_PATHS = {
  configuration: "/etc/mxhero-gateway/gateway.json",
  /**
   * Key and certificate chain of the fleet's names, in this order in one file, so that they change at once
   * (`smtpd_tls_chain_files`). Only root may read it.
   */
  tlsChain: "/etc/mxhero-gateway/tls/network.pem",
  /** LMDB files; Postfix reads them. */
  maps: "/var/lib/mxhero-gateway/maps",
  /** What the agent keeps across its own restart. */
  state: "/var/lib/mxhero-gateway/state",
  policySocket: "/run/mxhero-gateway/policy.sock",
  inboundInstance: "/etc/postfix-in",
  relayInstance: "/etc/postfix-relay",
  inboundQueue: "/var/spool/postfix-in",
  relayQueue: "/var/spool/postfix-relay",
  /** What each instance logs (`maillog_file`). The agent reads there when mail last passed. */
  inboundLog: "/var/log/mxhero-gateway/postfix-in.log",
  relayLog: "/var/log/mxhero-gateway/postfix-relay.log",
  /** The authorities that Postfix and the proofs trust. */
  authorities: "/etc/ssl/certs/ca-certificates.crt",
} as const;

/** Where the agent answers about its health, on loopback. */
export const HEALTH_PORT = 8025;

/** Where mail comes back from the processor, on loopback. */
export const RETURN_PORTS = { inbound: 10_025, relay: 10_026 } as const;

/** 150 MiB. */
const MESSAGE_BYTES = 157_286_400;

/** What one client may do in a minute. */
const clientLimits = z.strictObject({
  messages: z.int().min(1).default(6_000),
  recipients: z.int().min(1).default(12_000),
});
export type ClientLimits = z.infer<typeof clientLimits>;

const address = z.string().refine((text) => isIP(text) !== 0, "not an IP address");
const hostName = z.string().regex(/^[A-Za-z0-9.-]+$/, "not a host name");
const port = z.int().min(1).max(65_535);

/** One of the two sides of a slot: its own address, and the one that the world sees. */
const side = z.strictObject({ address, publicAddress: address });

export const gatewayHostConfig = z.strictObject({
  /** The slot's name in the fleet. */
  slot: z.string().min(1),
  /** The fleet's name. */
  gateway: z.string().min(1),
  /**
   * Names of the fleet's endpoints, and what the two Postfix instances call themselves on every slot. So a
   * slot that is about to hand mail to its like sees that it would loop, whichever slot that is.
   */
  smtpIn: hostName,
  smtpRelay: hostName,
  inbound: side,
  relay: side,
  /** The fleet's other slots. Mail from tenant to tenant goes to their private addresses. */
  peers: z.array(z.strictObject({ slot: z.string().min(1), inboundAddress: address })).default([]),
  store: z.strictObject({
    table: z.string().min(1),
    region: z.string().min(1),
    /** In front of the names of secrets, without a slash at the end. */
    secretPrefix: z.string().min(1),
    /** Where AWS's API is spoken, if not at the region's own endpoint. */
    endpoint: z.string().exactOptional(),
  }),
  /** SHA-256 of the bundle that the host was given. */
  bundle: z.string().regex(/^[0-9a-f]{64}$/),
  /**
   * Accepted mail passes through it, and comes back on loopback. It knows the direction by what the gateway
   * calls itself in EHLO: `smtpIn` comes back to `RETURN_PORTS.inbound`, `smtpRelay` to `RETURN_PORTS.relay`.
   */
  processor: z.strictObject({ host: hostName.or(address), port }).optional(),
  /** `public`: a Server or Relay Server with a private, loopback or special address is refused. */
  nextHops: z.enum(["public", "private"]).default("public"),
  maximumMessageBytes: z.int().min(1).default(MESSAGE_BYTES),
  /** Mail systems of large tenants stay far below. */
  clientLimits: clientLimits.prefault({}),
  /** The names of the secrets that hold certificate chain and key (PEM) of the fleet's names. */
  networkTls: z.strictObject({
    certificateSecret: z.string(),
    keySecret: z.string(),
    /** When the certificate ends: ISO 8601, UTC. */
    expires: z.iso.datetime().optional(),
  }),
  /** The log group of CloudWatch that takes what the host measures. Without it nothing is logged there. */
  logGroup: z.string().min(1).optional(),
});

export type GatewayHostConfig = z.infer<typeof gatewayHostConfig>;
/** As the file says it, without what has a default. */
export type GatewayHostInput = z.input<typeof gatewayHostConfig>;

/** @throws Error that names every fault, with its path. */
export function parseHostConfig(text: string): GatewayHostConfig {
  const parsed = gatewayHostConfig.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  throw new Error(`The host's configuration is not valid:\n${z.prettifyError(parsed.error)}`);
}
