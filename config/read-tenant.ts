/** Reads a tenant's stack configuration: all of its faults at once, or the values that a plan needs. */
import type { MailRuleFault } from "../mail/errors.ts";
import { isRecord, quoted, type SoundFields, schemaFaults, soundFields } from "./schema-faults.ts";
import {
  ConfigurationError,
  type KeySpace,
  rawValues,
  report,
  type StackConfiguration,
} from "./stack-configuration.ts";
import {
  domain,
  type GatewayHosts,
  gatewayHosts,
  gatewayStack,
  type TenantConfig,
  tenant,
} from "./tenant.ts";
import { type Sound, tenantFaults } from "./tenant-rules.ts";

const keySpace: KeySpace = {
  prefix: "mail:",
  keys: Object.keys(tenant.shape),
  texts: ["organisation"],
  secrets: [],
  noSecret: {
    problem: "It holds a secret, and its values go into public DNS.",
    fix: "Write them in plain. A token belongs into mxhero:apiToken or CLOUDFLARE_API_TOKEN.",
  },
};
const gatewayFields = gatewayHosts.partial();
const domainFields = domain.partial();

/** @throws {ConfigurationError} with every fault that can be seen. */
export async function readTenantConfig(stack: StackConfiguration): Promise<TenantConfig> {
  const { raw, faults } = rawValues(stack, keySpace);
  const organisation = tenant.shape.organisation;
  const gateway = await readGateway(raw.gateway, stack.outputsOf);
  const domains = readDomains(raw.domains);
  report(faults, [
    ...schemaFaults(organisation, raw.organisation, "organisation"),
    ...gateway.faults,
    ...domains.faults,
  ]);
  report(faults, tenantFaults({ gateway: gateway.fields ?? {}, domains: domains.fields }));
  if (faults.length > 0) throw new ConfigurationError(stack.file, keySpace.prefix, faults);

  return {
    organisation: organisation.parse(raw.organisation),
    gateway: gatewayHosts.parse(gateway.raw),
    domains: tenant.shape.domains.parse(raw.domains),
  };
}

interface ReadGateway extends SoundFields<Sound<GatewayHosts>> {
  readonly raw: unknown;
}

async function readGateway(
  raw: unknown,
  outputsOf: StackConfiguration["outputsOf"],
): Promise<ReadGateway> {
  if (!isRecord(raw) || !("stack" in raw)) {
    return { raw, ...soundFields(gatewayHosts, gatewayFields, raw, "gateway") };
  }
  const faults = schemaFaults(gatewayStack, raw, "gateway");
  if (faults.length > 0) return { raw, fields: undefined, faults };
  const { stack } = gatewayStack.parse(raw);
  try {
    const outputs = await outputsOf(stack);
    const hosts = pick(outputs, Object.keys(gatewayHosts.shape));
    const read = soundFields(gatewayHosts, gatewayFields, hosts, "outputs");
    return { raw: hosts, fields: read.fields, faults: read.faults.map((f) => ofOutput(f, stack)) };
  } catch (cause) {
    const fault = {
      code: "gateway-stack-unreadable",
      where: "gateway.stack",
      value: stack,
      problem: `The stack ${quoted(stack)} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
      fix: "Check its name (organisation/project/stack) and that you may read it.",
      cause,
    };
    return { raw, fields: undefined, faults: [fault] };
  }
}

function ofOutput(fault: MailRuleFault, stack: string): MailRuleFault {
  const problem = `${fault.where} of stack ${quoted(stack)}: ${fault.problem}`;
  return { ...fault, where: "gateway.stack", problem };
}

/** A gateway's stack has further outputs. */
function pick(values: Readonly<Record<string, unknown>>, keys: readonly string[]) {
  return Object.fromEntries(keys.flatMap((k) => (values[k] === undefined ? [] : [[k, values[k]]])));
}

function readDomains(raw: unknown) {
  if (!Array.isArray(raw) || raw.length === 0) {
    return { fields: [], faults: schemaFaults(tenant.shape.domains, raw, "domains") };
  }
  const read = raw.map((entry: unknown, index) => {
    const { fields = {}, faults } = soundFields(domain, domainFields, entry, `domains[${index}]`);
    const relayIsFaulty =
      isRecord(entry) && entry.relayServer !== undefined && fields.relayServer === undefined;
    // Without its Relay Server the domain would look as if its mail left from the gateway to the world.
    return { fields: relayIsFaulty ? { ...fields, outbound: undefined } : fields, faults };
  });
  return {
    fields: read.map(({ fields }) => fields),
    faults: read.flatMap(({ faults }) => faults),
  };
}
