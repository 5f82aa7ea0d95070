/** A sound gateway configuration for tests, but for its certificate. */

import type { RegionalGatewayConfig } from "./gateway.ts";

/** By full key; lists and maps as they stand in a file. */
export const exampleGateway = {
  "aws:region": "eu-central-1",
  "gateway:name": "example",
  "gateway:domain": "gateway.test",
  "gateway:zone": { name: "gateway.test", id: "023e105f4ecef8ad9ca31a8372d0c353" },
  "gateway:slots": 2,
  "gateway:network": {
    cidr: "10.20.0.0/16",
    availabilityZones: ["eu-central-1a", "eu-central-1b"],
  },
  "gateway:alarms": { email: "operations@gateway.test" },
};

/** The names that its certificate must be valid for. */
export const exampleNames = [
  "smtp-in.gateway.test",
  "smtp-relay.gateway.test",
  "smtp.gateway.test",
] as const;

/** The same as the program reads it. */
export const exampleConfig: RegionalGatewayConfig = {
  region: "eu-central-1",
  name: "example",
  domain: "gateway.test",
  zone: exampleGateway["gateway:zone"],
  hosts: {},
  slots: ["a", "b"],
  instanceType: "t4g.small",
  architecture: "arm64",
  network: exampleGateway["gateway:network"],
  volumeGiB: 20,
  certificate: "certificate",
  privateKey: "key",
  nextHops: "public",
  alarms: { email: "operations@gateway.test" },
  logRetentionDays: 30,
  maximumMessageBytes: 157_286_400,
  ttlSeconds: 60,
  deletionProtection: true,
};
