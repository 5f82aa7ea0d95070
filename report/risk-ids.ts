/** Every risk that a report may name. Each is explained in docs/report.md. An identifier never changes. */

export const RISK_IDS = [
  "not-read",
  "many-domains-leave",
  "old-connector-locked",
  "hand-back-on-word",
  "hand-back-unproven",
  "mail-refused",
  "sender-refused",
  "someone-still-sends",
  "mta-sts-first",
  "server-not-changed",
  "server-not-recommended",
  "spf-budget",
  "spf-senders-lost",
  "subdomain-mx",
  "long-ttl",
  "no-rcpt-lookup",
  "outbound-on-word",
  "gateway-not-asked",
  "changed-by-others",
  "gateway-reduced",
  "replaced",
] as const;
export type RiskId = (typeof RISK_IDS)[number];

/** `high`: mail may be lost. `medium`: mail may be late, or someone has to act. `low`: good to know. */
export const RISK_LEVELS = ["high", "medium", "low"] as const;
export type RiskLevel = (typeof RISK_LEVELS)[number];
