/**
 * What must hold between the values of a gateway's stack file. Each value by itself is right already.
 *
 * The rules take what could be read, so that a fault in one value does not hide those between others.
 */
import ipaddr from "ipaddr.js";
import { isWithin } from "../mail/domain-name.ts";
import type { MailRuleFault } from "../mail/errors.ts";
import { certificateFaults } from "./certificate-rules.ts";
import { type Architecture, type RegionalGatewayConfig, slotPosition } from "./gateway.ts";
import { ADDRESSES_PER_SLOT, hostNames } from "./gateway-names.ts";
import { quoted } from "./schema-faults.ts";
import type { Sound } from "./sound-tenant.ts";

export type SoundGateway = Sound<RegionalGatewayConfig>;

/** Every fault between values. `where` is the path below `gateway:`. */
export function gatewayFaults(config: SoundGateway, now: Date): MailRuleFault[] {
  return [
    ...nameFaults(config),
    ...slotFaults(config),
    ...architectureFaults(config),
    ...networkFaults(config),
    ...topicFaults(config),
    ...certificateFaults({
      certificate: config.certificate,
      privateKey: config.privateKey,
      names: endpointsOf(config).map(({ name }) => name),
      now,
    }),
  ];
}

/** The endpoints whose names can be told, and the key that each name comes from. */
function endpointsOf({ domain, hosts = {} }: SoundGateway) {
  if (domain === undefined) return [];
  const { smtpIn, smtpRelay, smtp } = hostNames(domain, hosts);
  return Object.entries({ smtpIn, smtpRelay, smtp }).map(([key, name]) => ({
    name,
    where: key in hosts ? `hosts.${key}` : "domain",
  }));
}

function nameFaults(config: SoundGateway): MailRuleFault[] {
  const { domain, zone } = config;
  const endpoints = endpointsOf(config);
  const faults: MailRuleFault[] = [];
  for (const [index, { name, where }] of endpoints.entries()) {
    if (endpoints.findIndex((other) => other.name === name) === index) continue;
    faults.push({
      code: "endpoint-name-twice",
      where,
      value: name,
      problem: `${quoted(name)} is already the name of another endpoint.`,
      fix: "Give each endpoint a name of its own: mail comes in at smtpIn and goes out at smtpRelay.",
    });
  }
  if (domain === undefined || zone === undefined) return faults;
  const names = [{ name: domain, where: "domain" }, ...endpoints];
  const outside = names.filter(({ name }) => !isWithin(name, zone.name));
  // All names below a domain that is outside are: one fault is enough.
  const told = outside.filter(({ where }, index) => where !== "domain" || index === 0);
  return [...faults, ...told.map(({ name, where }) => outsideFault(name, where, zone.name))];
}

function outsideFault(name: string, where: string, zone: string): MailRuleFault {
  return {
    code: "domain-name-outside-zone",
    where,
    value: name,
    problem: `${quoted(name)} does not lie in the zone ${quoted(zone)}.`,
    fix: "Give the zone that holds the name, or correct the name.",
  };
}

function slotFaults({ slots = [], pool }: SoundGateway): MailRuleFault[] {
  const faults = slots.flatMap((slot, index): MailRuleFault[] => {
    if (slots.indexOf(slot) === index) return [];
    const problem = `${quoted(slot)} is already in the list.`;
    const fix = "Delete one of the two entries.";
    return [{ code: "slot-twice", where: `slots[${index}]`, value: slot, problem, fix }];
  });
  if (pool === undefined) return faults;
  if (pool % ADDRESSES_PER_SLOT !== 0) {
    faults.push({
      code: "pool-is-odd",
      where: "pool",
      value: String(pool),
      problem: `Of ${pool} addresses one would never be used: each slot takes two.`,
      fix: `Write ${pool - 1} or ${pool + 1}.`,
    });
  }
  const needed = ADDRESSES_PER_SLOT * (1 + Math.max(0, ...slots.map(slotPosition)));
  if (slots.length > 0 && needed > pool) {
    faults.push({
      code: "slots-exceed-pool",
      where: "pool",
      value: String(pool),
      problem: `The slots ${slots.join(", ")} need a pool of ${needed} addresses, and it has ${pool}.`,
      fix: `Write ${needed} or more, or take slots out. Tell the customers of new addresses before.`,
    });
  }
  return faults;
}

/** Families of AWS's own processors have a g after the generation: `t4g`, `m7gd`; `a1` was the first. */
const ARM_FAMILY = /^(?:a1|[a-z]+\d+g[a-z]*)(?:[.-]|$)/;

function architectureFaults({ instanceType, architecture, image }: SoundGateway): MailRuleFault[] {
  if (architecture === undefined) return [];
  const faults: MailRuleFault[] = [];
  if (instanceType !== undefined && architectureOf(instanceType) !== architecture) {
    faults.push({
      code: "instance-type-of-other-architecture",
      where: "instanceType",
      value: instanceType,
      problem: `${quoted(instanceType)} is ${architectureOf(instanceType)}, and the architecture is ${architecture}.`,
      fix: `Write architecture: ${architectureOf(instanceType)}, or another instance type.`,
    });
  }
  const other = architecture === "arm64" ? /amd64|x86_64/ : /arm64|aarch64/;
  if (image !== undefined && other.test(image.name)) {
    faults.push({
      code: "image-of-other-architecture",
      where: "image.name",
      value: image.name,
      problem: `${quoted(image.name)} is not an image for ${architecture}.`,
      fix: "Name the image for the same architecture, or delete image.",
    });
  }
  return faults;
}

function architectureOf(instanceType: string): Architecture {
  return ARM_FAMILY.test(instanceType) ? "arm64" : "x64";
}

/** A network of /24 holds 16 subnets of 16 addresses, which is the least that AWS makes. */
const NETWORK_BITS = { least: 16, most: 24 };
const SUBNETS = 16;

function networkFaults({ network, region }: SoundGateway): MailRuleFault[] {
  if (network === undefined || "subnets" in network) return [];
  const { cidr, availabilityZones } = network;
  const faults = cidrFaults(cidr);
  for (const [index, zone] of availabilityZones.entries()) {
    const fault = { where: `network.availabilityZones[${index}]`, value: zone };
    if (availabilityZones.indexOf(zone) !== index) {
      const problem = `${quoted(zone)} is already in the list.`;
      const fix = "Delete one of the two entries.";
      faults.push({ ...fault, code: "availability-zone-twice", problem, fix });
    }
    if (region !== undefined && zone.slice(0, -1) !== region) {
      const problem = `${quoted(zone)} does not lie in the region ${quoted(region)}.`;
      const fix = `Write a zone of ${region}, or correct aws:region.`;
      faults.push({ ...fault, code: "availability-zone-of-other-region", problem, fix });
    }
  }
  if (availabilityZones.length > SUBNETS) {
    faults.push({
      code: "value-out-of-range",
      where: "network.availabilityZones",
      problem: `The list has ${availabilityZones.length} entries.`,
      fix: `Write ${SUBNETS} or less.`,
    });
  }
  return faults;
}

function cidrFaults(cidr: string): MailRuleFault[] {
  const fault = { code: "network-unusable", where: "network.cidr", value: cidr };
  const fix = `Write a private network (RFC 1918) of /${NETWORK_BITS.least} to /${NETWORK_BITS.most}, for example 10.20.0.0/16.`;
  if (!ipaddr.IPv4.isValidCIDR(cidr)) {
    return [{ ...fault, problem: `${quoted(cidr)} is no network.`, fix }];
  }
  const [address, bits] = ipaddr.IPv4.parseCIDR(cidr);
  const first = ipaddr.IPv4.networkAddressFromCIDR(cidr).toString();
  if (first !== address.toString()) {
    const problem = `${quoted(cidr)} has bits set behind its prefix.`;
    return [{ ...fault, problem, fix: `Write ${first}/${bits}.` }];
  }
  if (bits < NETWORK_BITS.least || bits > NETWORK_BITS.most || address.range() !== "private") {
    return [{ ...fault, problem: `${quoted(cidr)} cannot be the gateway's network.`, fix }];
  }
  return [];
}

/** CloudWatch notifies topics of its own region only. */
function topicFaults({ alarms, region }: SoundGateway): MailRuleFault[] {
  if (alarms === undefined || region === undefined || !("topic" in alarms)) return [];
  const [, , , topicRegion] = alarms.topic.split(":");
  if (topicRegion === region) return [];
  return [
    {
      code: "topic-of-other-region",
      where: "alarms.topic",
      value: alarms.topic,
      problem: `${quoted(alarms.topic)} does not lie in the region ${quoted(region)}, and alarms reach no other.`,
      fix: `Give a topic of ${region}.`,
    },
  ];
}
