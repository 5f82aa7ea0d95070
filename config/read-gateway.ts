/** Reads a gateway's stack configuration: all of its faults at once, or the values that a plan needs. */
import { z } from "zod";
import type { MailRuleFault } from "../mail/errors.ts";
import { gateway, type RegionalGatewayConfig } from "./gateway.ts";
import { gatewayFaults } from "./gateway-rules.ts";
import { schemaFaults, soundFields } from "./schema-faults.ts";
import {
  ConfigurationError,
  type KeySpace,
  rawValues,
  report,
  type StackConfiguration,
} from "./stack-configuration.ts";

const keySpace: KeySpace = {
  prefix: "gateway:",
  keys: Object.keys(gateway.shape),
  texts: ["name", "domain", "instanceType", "certificate", "privateKey", "fixIt", "awsEndpoint"],
  secrets: ["certificate", "privateKey"],
  noSecret: {
    problem: "It holds a secret, and it is shown in DNS, in AWS's console or on the slots.",
    fix: "Write it in plain. Only certificate and privateKey may be secrets.",
  },
};

const region = z
  .string()
  .regex(/^[a-z]{2}(?:-[a-z]+)+-\d$/)
  .meta({ description: "The region that the fleet is in.", examples: ["eu-central-1"] });

const regional = gateway.extend({ region });
const fields = regional.partial();

/** @throws {ConfigurationError} with every fault that can be seen. */
export function readGatewayConfig(
  stack: StackConfiguration,
  now: Date = new Date(),
): RegionalGatewayConfig {
  const { raw, faults } = rawValues(stack, keySpace);
  const { fields: sound = {}, faults: found } = soundFields(gateway, fields, raw, "");
  report(faults, found.map(withoutDot));
  report(faults, schemaFaults(region, stack.values["aws:region"], "aws:region"));
  report(faults, openKeyFaults(stack));
  const soundRegion = region.safeParse(stack.values["aws:region"]).data;
  report(faults, gatewayFaults({ ...sound, region: soundRegion }, now));
  if (faults.length > 0) throw new ConfigurationError(stack.file, keySpace.prefix, faults);
  return regional.parse({ ...raw, region: soundRegion });
}

/** The root has no name, so its keys' paths begin with a dot. */
function withoutDot(fault: MailRuleFault): MailRuleFault {
  return { ...fault, where: fault.where?.replace(/^\./, "") };
}

/** In clear the key would lie in the stack's file and in whatever keeps it. */
function openKeyFaults({ values, isSecret }: StackConfiguration): MailRuleFault[] {
  if (values["gateway:privateKey"] === undefined || isSecret("gateway:privateKey")) return [];
  return [
    {
      code: "value-not-secret",
      where: "privateKey",
      problem: "The private key is stored in clear.",
      fix: "Replace the key, for it may have been seen, and store it with: pulumi config set --secret gateway:privateKey.",
    },
  ];
}
