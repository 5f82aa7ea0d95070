/** What a slot's host is told: from the plan and from what AWS answered. */

import type { GatewayHostInput } from "../gateway/host-config.ts";
import { renderUserData } from "../gateway/user-data.ts";
import type { MailRuleFault } from "../mail/errors.ts";
import { type GatewayPlan, TLS_SECRETS } from "./gateway-plan.ts";

/** What is known only when the slot's parts are there. */
export interface SlotFacts {
  /** Private addresses. */
  readonly inbound: string;
  readonly relay: string;
  readonly publicInbound: string;
  readonly publicRelay: string;
  readonly volumeId: string;
  readonly bucket: string;
  readonly bundleKey: string;
  readonly bundle: string;
  /** The certificate's fingerprint. */
  readonly certificate: string;
  /** When the certificate ends: ISO 8601. */
  readonly expires: string;
}

/** EC2 takes 16 KB (docs.aws.amazon.com: Run commands when you launch an EC2 instance). */
const USER_DATA_BYTES = 16_384;

/** As long as what AWS answers can be. */
const LONGEST_FACTS: SlotFacts = {
  inbound: "255.255.255.255",
  relay: "255.255.255.255",
  publicInbound: "255.255.255.255",
  publicRelay: "255.255.255.255",
  volumeId: "vol-0123456789abcdef0",
  bucket: "b".repeat(63),
  bundleKey: `${"0".repeat(64)}.tar.gz`,
  bundle: "0".repeat(64),
  certificate: "00:".repeat(32),
  expires: "2026-01-01T00:00:00.000Z",
};

/** Whether EC2 takes what the slots are told, whatever AWS answers. */
export function userDataFaults(plan: GatewayPlan): MailRuleFault[] {
  const bytes = Buffer.byteLength(slotUserData(plan, "a", LONGEST_FACTS));
  if (bytes <= USER_DATA_BYTES) return [];
  return [
    {
      code: "user-data-too-large",
      where: "hosts",
      problem: `The user data of a slot has up to ${bytes} bytes, and EC2 takes ${USER_DATA_BYTES}.`,
      fix: "Shorten the names of the hosts and of the processor.",
    },
  ];
}

export function slotUserData(plan: GatewayPlan, slot: string, facts: SlotFacts): string {
  return renderUserData({
    host: hostConfig(plan, slot, facts),
    bundle: { bucket: facts.bucket, key: facts.bundleKey },
    volumeId: facts.volumeId,
    volumeGiB: plan.config.volumeGiB,
    certificate: facts.certificate,
  });
}

function hostConfig(plan: GatewayPlan, slot: string, facts: SlotFacts): GatewayHostInput {
  const { config, hosts, table, secretPrefix, logGroup } = plan;
  const { region, awsEndpoint, processor, nextHops, maximumMessageBytes } = config;
  return {
    slot,
    gateway: config.name,
    smtpIn: hosts.smtpIn,
    smtpRelay: hosts.smtpRelay,
    inbound: { address: facts.inbound, publicAddress: facts.publicInbound },
    relay: { address: facts.relay, publicAddress: facts.publicRelay },
    // Mail from tenant to tenant stays on the host that has it: no slot needs to know the others, and none
    // changes when one is added.
    peers: [{ slot, inboundAddress: facts.inbound }],
    store: {
      table,
      region,
      secretPrefix,
      ...(awsEndpoint !== undefined && { endpoint: awsEndpoint }),
    },
    bundle: facts.bundle,
    ...(processor !== undefined && { processor }),
    nextHops,
    maximumMessageBytes,
    networkTls: { ...TLS_SECRETS, expires: facts.expires },
    logGroup,
  };
}
