/** Reads a tenant's stack configuration: all of its faults at once, or the values that a plan needs. */
import { MailRuleError, type MailRuleFault } from "../mail/errors.ts";
import {
  isRecord,
  quoted,
  type SoundFields,
  schemaFaults,
  soundFields,
  suggestion,
} from "./schema-faults.ts";
import {
  domain,
  type GatewayHosts,
  gatewayHosts,
  gatewayStack,
  type TenantConfig,
  tenant,
} from "./tenant.ts";
import { type Sound, tenantFaults } from "./tenant-rules.ts";

/** The stack's configuration as the engine hands it to a program. */
export interface StackConfiguration {
  /** Where a person finds the values: `stacks/Pulumi.contoso.yaml`. */
  readonly file: string;
  /** By full key (`mail:domains`). Lists and maps are JSON texts. */
  readonly values: Readonly<Record<string, string>>;
  readonly isSecret: (key: string) => boolean;
  /** The outputs of another stack that are not secret; rejects where there is no such stack. */
  readonly outputsOf: (stack: string) => Promise<Readonly<Record<string, unknown>>>;
}

/** All faults of a stack's configuration, one a line. */
export class ConfigurationError extends Error {
  override readonly name = "ConfigurationError";
  readonly faults: readonly MailRuleError[];

  constructor(file: string, faults: readonly MailRuleFault[]) {
    const errors = faults.map((fault) => {
      const cause = fault.cause === undefined ? {} : { cause: fault.cause };
      return new MailRuleError({
        ...fault,
        where: `${file}: config mail:${fault.where}`,
        ...cause,
      });
    });
    const count = errors.length === 1 ? "1 fault" : `${errors.length} faults`;
    const lines = errors.map(({ message }) => `- ${message}`);
    super(`${file} has ${count}. Nothing was changed.\n${lines.join("\n")}`);
    this.faults = errors;
  }
}

const PREFIX = "mail:";
const gatewayFields = gatewayHosts.partial();
const domainFields = domain.partial();

/** @throws {ConfigurationError} with every fault that can be seen. */
export async function readTenantConfig(stack: StackConfiguration): Promise<TenantConfig> {
  const { raw, faults } = rawValues(stack);
  const organisation = tenant.shape.organisation;
  const gateway = await readGateway(raw.gateway, stack.outputsOf);
  const domains = readDomains(raw.domains);
  report(faults, [
    ...schemaFaults(organisation, raw.organisation, "organisation"),
    ...gateway.faults,
    ...domains.faults,
  ]);
  report(faults, tenantFaults({ gateway: gateway.fields ?? {}, domains: domains.fields }));
  if (faults.length > 0) throw new ConfigurationError(stack.file, faults);

  return {
    organisation: organisation.parse(raw.organisation),
    gateway: gatewayHosts.parse(gateway.raw),
    domains: tenant.shape.domains.parse(raw.domains),
  };
}

/** Adds what was found, except where a fault that was found earlier is the reason for it. */
function report(faults: MailRuleFault[], found: readonly MailRuleFault[]): void {
  const reported = new Set(faults.map(({ where }) => where));
  faults.push(...found.filter(({ where }) => !reported.has(where)));
}

/** The values below `mail:`, decoded. A key that holds a secret is refused unread. */
function rawValues({ values, isSecret }: StackConfiguration) {
  const faults: MailRuleFault[] = [];
  const raw: Record<string, unknown> = {};
  const known = Object.keys(tenant.shape);
  for (const [key, text] of Object.entries(values)) {
    if (!key.startsWith(PREFIX)) continue;
    const name = key.slice(PREFIX.length);
    if (!known.includes(name)) {
      const fix = `${suggestion(name, known)}The keys here are: ${known.map((k) => PREFIX + k).join(", ")}.`;
      faults.push({ code: "key-unknown", where: name, problem: "The key is not known.", fix });
    } else if (isSecret(key)) {
      faults.push({
        code: "value-is-secret",
        where: name,
        problem: "It holds a secret, and its values go into public DNS.",
        fix: "Write them in plain. A token belongs into mxhero:apiToken or CLOUDFLARE_API_TOKEN.",
      });
    } else {
      raw[name] = name === "organisation" ? text : decoded(text);
    }
  }
  return { raw, faults };
}

/** Lists and maps come as JSON; what does not is a text that somebody wrote in their place. */
function decoded(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
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
