/** Reads a tenant's stack configuration: all of its faults at once, or the values that a plan needs. */
import type { MailRuleFault } from "../mail/errors.ts";
import { readRelayPasswords } from "./relay-passwords.ts";
import { gatewayStackNeeded } from "./route-rules.ts";
import { isRecord, schemaFaults, soundFields } from "./schema-faults.ts";
import type { SoundDomain } from "./sound-tenant.ts";
import {
  ConfigurationError,
  type KeySpace,
  rawValues,
  report,
  type StackConfiguration,
} from "./stack-configuration.ts";
import { domain, type TenantConfig, tenant } from "./tenant.ts";
import { readGateway } from "./tenant-gateway.ts";
import { tenantFaults } from "./tenant-rules.ts";

const keySpace: KeySpace = {
  prefix: "mail:",
  keys: Object.keys(tenant.shape),
  texts: ["organisation", "fixIt"],
  secrets: ["relayPasswords"],
  noSecret: {
    problem: "It holds a secret, and its values go into public DNS.",
    fix:
      "Write them in plain. A token belongs into mxhero:apiToken or CLOUDFLARE_API_TOKEN, a password into " +
      "mail:relayPasswords.",
  },
};
const domainFields = domain.partial();

/** @throws {ConfigurationError} with every fault that can be seen. */
export async function readTenantConfig(stack: StackConfiguration): Promise<TenantConfig> {
  const { raw, faults } = rawValues(stack, keySpace);
  const { organisation, fixIt, inactive } = tenant.shape;
  const gateway = await readGateway(raw.gateway, stack.outputsOf);
  const domains = readDomains(raw.domains);
  const isSecret = stack.isSecret("mail:relayPasswords");
  const { passwords, faults: passwordFaults } = readRelayPasswords(raw.relayPasswords, isSecret);
  report(faults, [
    ...schemaFaults(organisation, raw.organisation, "organisation"),
    ...gateway.faults,
    ...schemaFaults(fixIt, raw.fixIt, "fixIt"),
    ...schemaFaults(inactive, raw.inactive, "inactive"),
    ...passwordFaults,
    ...(gateway.keepsRoutes === false ? uselessKeys(raw) : []),
    ...domains.faults,
  ]);
  const sound = {
    gateway: gateway.fields,
    keepsRoutes: gateway.keepsRoutes,
    hasFixIt: raw.fixIt !== undefined,
    passwordNames: passwords && Object.keys(passwords),
    domains: domains.fields,
  };
  report(faults, tenantFaults(sound));
  if (faults.length > 0) throw new ConfigurationError(stack.file, keySpace.prefix, faults);

  return {
    organisation: organisation.parse(raw.organisation),
    gateway: gateway.parse(),
    fixIt: fixIt.parse(raw.fixIt),
    inactive: inactive.parse(raw.inactive),
    relayPasswords: passwords,
    domains: tenant.shape.domains.parse(raw.domains),
  };
}

function uselessKeys(raw: Readonly<Record<string, unknown>>): MailRuleFault[] {
  const keys = ["fixIt", "inactive", "relayPasswords"].filter((key) => raw[key] !== undefined);
  return keys.map(gatewayStackNeeded);
}

function readDomains(raw: unknown) {
  if (!Array.isArray(raw) || raw.length === 0) {
    return { fields: [], faults: schemaFaults(tenant.shape.domains, raw, "domains") };
  }
  const read = raw.map((entry: unknown, index) => {
    const { fields = {}, faults } = soundFields(domain, domainFields, entry, `domains[${index}]`);
    const written = new Set(isRecord(entry) ? Object.keys(entry) : []);
    const relayIsFaulty = written.has("relayServer") && fields.relayServer === undefined;
    // Without its Relay Server the domain would look as if its mail left from the gateway to the world.
    const sound: SoundDomain = relayIsFaulty ? { ...fields, outbound: undefined } : fields;
    return { fields: { ...sound, written }, faults };
  });
  return {
    fields: read.map(({ fields }) => fields),
    faults: read.flatMap(({ faults }) => faults),
  };
}
