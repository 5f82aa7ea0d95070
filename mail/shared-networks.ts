/**
 * Networks from which the mail of many unrelated organisations comes. There an address proves nothing.
 *
 * Collected on 2026-11-26 from public copies of the documents that are named; they change now and then.
 */

interface SharedNetworks {
  readonly service: string;
  readonly networks: readonly string[];
}

export const SHARED_NETWORKS: readonly SharedNetworks[] = [
  {
    // The SPF record of spf.protection.outlook.com, and set 10 (`*.mail.protection.outlook.com`, port 25) of
    // "Office 365 URLs and IP address ranges", whose wider ranges stand here.
    service: "Microsoft 365",
    networks: [
      "40.92.0.0/15",
      "40.107.0.0/16",
      "52.100.0.0/14",
      "104.47.0.0/17",
      "2a01:111:f400::/48",
      "2a01:111:f403::/48",
    ],
  },
  {
    // The SPF records of _netblocks.google.com, _netblocks2 and _netblocks3, and the shorter one of
    // _spf.google.com that took their place in 2026: 74.125.0.0/16, 209.85.128.0/17 and /56 of the IPv6 ones
    // (at 4864::, which lie in the /36 below). The last three: "IP address ranges for unverified forwarding",
    // support page 60764.
    service: "Google",
    networks: [
      "35.190.247.0/24",
      "64.233.160.0/19",
      "66.102.0.0/20",
      "66.249.80.0/20",
      "72.14.192.0/18",
      "74.125.0.0/16",
      "108.177.8.0/21",
      "173.194.0.0/16",
      "209.85.128.0/17",
      "216.58.192.0/19",
      "216.239.32.0/19",
      "2001:4860:4000::/36",
      "2404:6800:4000::/36",
      "2607:f8b0:4000::/36",
      "2800:3f0:4000::/36",
      "2a00:1450:4000::/36",
      "2c0f:fb50:4000::/36",
      "172.217.0.0/19",
      "172.217.32.0/20",
      "172.217.128.0/19",
      "172.217.160.0/20",
      "172.217.192.0/19",
      "172.253.56.0/21",
      "172.253.112.0/20",
      "108.177.96.0/19",
      "35.191.0.0/16",
      "130.211.0.0/22",
      "108.177.16.0/23",
      "142.250.220.0/23",
      "2600:1901:101::/48",
    ],
  },
];
