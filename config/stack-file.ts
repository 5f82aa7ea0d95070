/**
 * Reads a stack's file by itself, without engine, state and secrets: as much as anyone can know who has the file only.
 *
 * A secret's value is not looked at, and neither is the gateway's stack that a tenant names.
 */
import { MailRuleError } from "../mail/errors.ts";
import { readGatewayConfig } from "./read-gateway.ts";
import { readTenantConfig } from "./read-tenant.ts";
import { isRecord } from "./schema-faults.ts";
import { ConfigurationError, type StackConfiguration } from "./stack-configuration.ts";
import { yamlContent } from "./yaml-content.ts";

/** `unknown`: the file says nothing of any mail, or it is no YAML. */
export type StackKind = "tenant" | "gateway" | "unknown";

export interface StackFile {
  readonly kind: StackKind;
  /** All that is wrong in it, as far as it can be seen. */
  readonly faults: readonly MailRuleError[];
}

/** Stands for every secret. No rule of a password refuses it. */
const SECRET = "secret";

/** What can only be said with the gateway's stack or with a secret's value. */
const NOT_HERE = new Set(["gateway-stack-unreadable"]);

/** @param file where a person finds it: `stacks/Pulumi.contoso.yaml` */
export async function readStackFile(file: string, text: string): Promise<StackFile> {
  const read = yamlContent(text);
  if (read.kind === "faulty") {
    const { problem, place } = read;
    const where =
      place === undefined ? file : `${file}: line ${place.line}, column ${place.column}`;
    return { kind: "unknown", faults: [noYaml(where, problem)] };
  }
  const { content } = read;
  const config = isRecord(content) ? content["config"] : undefined;
  if (!isRecord(config)) return { kind: "unknown", faults: [saysNothing(file)] };
  const stack = configurationOf(file, config);
  const kind = kindOf(config);
  if (kind === "unknown") return { kind, faults: [saysNothing(file)] };
  const faults = await faultsOf(kind, stack);
  const secrets = Object.keys(config).filter(stack.isSecret);
  return { kind, faults: faults.filter((fault) => !isUnseen(fault, file, secrets)) };
}

function kindOf(config: object): StackKind {
  const has = (prefix: string) => Object.keys(config).some((key) => key.startsWith(prefix));
  if (has("mail:")) return "tenant";
  return has("gateway:") ? "gateway" : "unknown";
}

/** As the engine hands it to the program: texts, and all else as JSON. */
function configurationOf(
  file: string,
  config: Readonly<Record<string, unknown>>,
): StackConfiguration {
  const entries = Object.entries(config).map(
    ([key, value]) => [key, withoutSecrets(value)] as const,
  );
  return {
    file,
    values: Object.fromEntries(
      entries.map(([key, value]) => [
        key,
        typeof value === "string" ? value : JSON.stringify(value),
      ]),
    ),
    isSecret: (key) => holdsSecret(config[key]),
    outputsOf: () => Promise.reject(new Error("no other stack is looked at here")),
  };
}

async function faultsOf(
  kind: "tenant" | "gateway",
  stack: StackConfiguration,
): Promise<readonly MailRuleError[]> {
  try {
    if (kind === "tenant") await readTenantConfig(stack);
    else readGatewayConfig(stack);
    return [];
  } catch (error) {
    if (error instanceof ConfigurationError) return error.faults;
    throw error;
  }
}

/** A fault of what stands for a secret is none of the file; one of its place or of its being secret is. */
function isUnseen({ code, where = "" }: MailRuleError, file: string, secrets: readonly string[]) {
  if (NOT_HERE.has(code)) return true;
  const isOfValue = !["value-is-secret", "value-not-secret", "key-unknown"].includes(code);
  return isOfValue && secrets.some((key) => where.startsWith(`${file}: config ${key}`));
}

/** The engine encrypts a value as `secure: …`, as a whole or within lists and maps. */
function isEncrypted(value: unknown): boolean {
  return isRecord(value) && Object.keys(value).length === 1 && typeof value["secure"] === "string";
}

function holdsSecret(value: unknown): boolean {
  if (isEncrypted(value)) return true;
  return typeof value === "object" && value !== null && Object.values(value).some(holdsSecret);
}

function withoutSecrets(value: unknown): unknown {
  if (isEncrypted(value)) return SECRET;
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isRecord(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, withoutSecrets(each)]),
  );
}

function noYaml(where: string, problem: string): MailRuleError {
  return new MailRuleError({
    code: "stack-file-malformed",
    where,
    problem: `It is no YAML: ${problem}.`,
    fix: "Correct it there. Texts with a colon, or that begin with a special character, go in quotes.",
  });
}

function saysNothing(file: string): MailRuleError {
  return new MailRuleError({
    code: "stack-file-empty",
    where: file,
    problem: "It says nothing of any mail.",
    fix:
      "For a tenant write mail:organisation, mail:gateway and mail:domains below config, for a gateway " +
      "gateway:name and what belongs to it.",
  });
}
