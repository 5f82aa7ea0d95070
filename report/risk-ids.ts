/** Every risk that a report may name. Each is explained in docs/report.md. An identifier never changes. */
import { NOTE_IDS } from "../mail/preview-note.ts";

export const RISK_IDS = [
  /** What the provider tells in a preview. */
  ...NOTE_IDS,
  "many-domains-leave",
  "provider-settings",
  "old-connector-locked",
  "hand-back-on-word",
  "former-mx-stale",
  "outbound-on-word",
  "mail-refused",
  "sender-refused",
  "mta-sts-first",
  "server-not-changed",
  "spf-budget",
  "long-ttl",
  "relay-spf",
  "changed-by-others",
  "dns-by-hand",
  "replaced",
  "gateway-renamed",
  "gateway-smaller",
  "warned",
] as const;
export type RiskId = (typeof RISK_IDS)[number];

/**
 * - `high`: mail may be lost, or nobody knows.
 * - `medium`: mail may be late or go another way, or the run may stop half-way.
 * - `low`: good to know.
 */
export const RISK_LEVELS = ["high", "medium", "low"] as const;
export type RiskLevel = (typeof RISK_LEVELS)[number];
