/**
 * The endpoints of the hosted gateway, to notice when they are mixed up.
 *
 * Sources: mxHERO help centre, "Configuring Email Routing in mxHERO" (2025-11-13), "Fix gateway configuration
 * for inactive domains"; mxHERO Google Workspace guide, section 2.2 (addresses).
 */
export const HOSTED_INBOUND: ReadonlySet<string> = new Set(["smtp-in.mxhero.com"]);

/** Outbound endpoints that are still found in the settings of customers' mail systems. */
export const HOSTED_FORMER: readonly string[] = [
  "gmail-out.mxhero.com",
  "gmail.mxhero.com",
  "smtp.mxhero.com",
];

/** The addresses from which it hands mail on, in both directions. */
export const HOSTED_EGRESS: readonly string[] = [
  "54.208.111.28",
  "54.236.184.32",
  "54.165.252.128",
  "54.165.253.193",
  "3.211.77.148",
  "52.22.51.97",
  "54.209.222.83",
  "107.23.152.206",
];

/** Outbound endpoints, former ones and egress addresses included. */
export const HOSTED_OUTBOUND: ReadonlySet<string> = new Set([
  "smtp-relay.mxhero.com",
  ...HOSTED_FORMER,
  ...HOSTED_EGRESS,
]);
