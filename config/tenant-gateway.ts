/** Reads which gateway a tenant uses: its host names from the file, or the outputs of its stack. */
import type { MailRuleFault } from "../mail/errors.ts";
import { type Gateway, gatewayHosts, gatewayOutputs, gatewayStack } from "./gateway-hosts.ts";
import { isRecord, quoted, schemaFaults, soundFields } from "./schema-faults.ts";
import type { KeepsRoutes, Sound } from "./sound-tenant.ts";
import type { StackConfiguration } from "./stack-configuration.ts";

/** A gateway, as far as it could be read. */
export interface ReadGateway {
  readonly fields: Sound<Gateway>;
  /** Whether its routes are kept by this project. */
  readonly keepsRoutes: KeepsRoutes;
  readonly faults: readonly MailRuleFault[];
  /** All of it. Call it only where there is no fault. */
  readonly parse: () => Gateway;
}

const hostFields = gatewayHosts.partial();
const outputFields = gatewayOutputs.partial();

export async function readGateway(
  raw: unknown,
  outputsOf: StackConfiguration["outputsOf"],
): Promise<ReadGateway> {
  if (!isRecord(raw) || !("stack" in raw)) {
    const { fields, faults } = soundFields(gatewayHosts, hostFields, raw, "gateway");
    const keepsRoutes = fields === undefined ? "unknown" : false;
    return { fields: fields ?? {}, keepsRoutes, faults, parse: () => gatewayHosts.parse(raw) };
  }
  const faults = schemaFaults(gatewayStack, raw, "gateway");
  if (faults.length > 0) return unreadable(faults);
  const { stack, excludeSlots } = gatewayStack.parse(raw);
  try {
    return readOutputs(await outputsOf(stack), stack, excludeSlots);
  } catch (cause) {
    return unreadable([stackFault(stack, cause)]);
  }
}

function readOutputs(
  outputs: Readonly<Record<string, unknown>>,
  stack: string,
  excludeSlots: Gateway["excludeSlots"],
): ReadGateway {
  const known = pick(outputs, Object.keys(gatewayOutputs.shape));
  const { fields = {}, faults } = soundFields(gatewayOutputs, outputFields, known, "outputs");
  const keepsRoutes = known.routeStore !== undefined;
  const useless =
    excludeSlots !== undefined && !keepsRoutes ? [slotsWithoutStore(stack, excludeSlots)] : [];
  return {
    fields: { ...fields, excludeSlots },
    keepsRoutes: keepsRoutes === (fields.routeStore !== undefined) ? keepsRoutes : "unknown",
    faults: [...faults.map((fault) => ofOutput(fault, stack)), ...useless],
    parse: () => ({ ...gatewayOutputs.parse(known), excludeSlots }),
  };
}

function unreadable(faults: readonly MailRuleFault[]): ReadGateway {
  return { fields: {}, keepsRoutes: "unknown", faults, parse: noValues };
}

function noValues(): never {
  throw new Error("A gateway with faults has no values.");
}

function stackFault(stack: string, cause: unknown): MailRuleFault {
  return {
    code: "gateway-stack-unreadable",
    where: "gateway.stack",
    value: stack,
    problem: `The stack ${quoted(stack)} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}.`,
    fix: "Check its name (organisation/project/stack) and that you may read it.",
    cause,
  };
}

function slotsWithoutStore(stack: string, slots: readonly string[]): MailRuleFault {
  return {
    code: "gateway-stack-needed",
    where: "gateway.excludeSlots",
    value: slots.join(", "),
    problem: `It has no effect: the stack ${quoted(stack)} has no output routeStore, so that no route is proven by slots.`,
    fix: "Delete excludeSlots.",
  };
}

function ofOutput(fault: MailRuleFault, stack: string): MailRuleFault {
  const problem = `${fault.where} of stack ${quoted(stack)}: ${fault.problem}`;
  return { ...fault, where: "gateway.stack", problem };
}

/** A gateway's stack has further outputs. */
function pick(values: Readonly<Record<string, unknown>>, keys: readonly string[]) {
  return Object.fromEntries(keys.flatMap((k) => (values[k] === undefined ? [] : [[k, values[k]]])));
}
