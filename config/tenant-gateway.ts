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
  return {
    fields: { ...fields, excludeSlots },
    keepsRoutes: keepsRoutes === (fields.routeStore !== undefined) ? keepsRoutes : "unknown",
    faults: [
      ...faults.map((fault) => ofOutput(fault, stack)),
      ...(keepsRoutes
        ? slotFaults(excludeSlots ?? [], fields.slots)
        : slotsWithoutStore(stack, excludeSlots)),
    ],
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
    fix: 'Check its name (organisation/project/stack; the first is "organization" where the state is in a folder) and that you may read it.',
    cause,
  };
}

function slotsWithoutStore(stack: string, slots: Gateway["excludeSlots"]): MailRuleFault[] {
  if (slots === undefined) return [];
  return [
    {
      code: "gateway-stack-needed",
      where: "gateway.excludeSlots",
      value: slots.join(", "),
      problem: `It has no effect: the stack ${quoted(stack)} has no output routeStore, so that no route is proven by slots.`,
      fix: "Delete excludeSlots.",
    },
  ];
}

/** A typing error would exclude nobody, and without any slot a route would be used that nobody has proven. */
function slotFaults(
  excluded: readonly string[],
  slots: readonly string[] | undefined,
): MailRuleFault[] {
  if (slots === undefined) return [];
  const where = "gateway.excludeSlots";
  const known = `The gateway has the slots ${slots.join(", ")}.`;
  if (slots.length > 0 && slots.every((slot) => excluded.includes(slot))) {
    const problem = "Every slot is excluded, so that nobody would prove a route.";
    return [{ code: "all-slots-excluded", where, value: excluded.join(", "), problem, fix: known }];
  }
  return excluded.flatMap((slot, index) =>
    slots.includes(slot)
      ? []
      : {
          code: "slot-unknown",
          where: `${where}[${index}]`,
          value: slot,
          problem: `${quoted(slot)} is no slot of the gateway.`,
          fix: known,
        },
  );
}

function ofOutput(fault: MailRuleFault, stack: string): MailRuleFault {
  const problem = `${fault.where} of stack ${quoted(stack)}: ${fault.problem}`;
  return { ...fault, where: "gateway.stack", problem };
}

/** A gateway's stack has further outputs. */
function pick(values: Readonly<Record<string, unknown>>, keys: readonly string[]) {
  return Object.fromEntries(keys.flatMap((k) => (values[k] === undefined ? [] : [[k, values[k]]])));
}
