/** Reads the passwords of Relay Servers. No message shows what stands there. */
import type { MailRuleFault } from "../mail/errors.ts";
import { PASSWORD_NAME } from "./domain-route.ts";
import { isRecord } from "./schema-faults.ts";

export interface ReadPasswords {
  /** By name; `undefined`: not known. */
  readonly passwords: Readonly<Record<string, string>> | undefined;
  readonly faults: readonly MailRuleFault[];
}

const KEY = "relayPasswords";
const STORE = "pulumi config set --secret --path mail:relayPasswords.<name>";

/** @param isSecret whether the engine keeps the key encrypted */
export function readRelayPasswords(raw: unknown, isSecret: boolean): ReadPasswords {
  if (raw === undefined) return { passwords: {}, faults: [] };
  if (!isRecord(raw)) {
    const problem = "It is not a map of passwords by name.";
    const fault = { code: "value-of-wrong-kind", where: KEY, problem, fix: `Store each: ${STORE}` };
    return { passwords: undefined, faults: [fault] };
  }
  if (!isSecret) {
    const problem = "Passwords stand in the file in clear.";
    const fix = `Take another password, since this one was written down, and store it encrypted: ${STORE}`;
    const fault = { code: "value-not-secret", where: KEY, problem, fix };
    return { passwords: undefined, faults: [fault] };
  }
  const faults = Object.entries(raw).flatMap(([name, value]) => passwordFaults(name, value));
  const sound = Object.entries(raw).flatMap(([name, value]) =>
    typeof value === "string" ? [[name, value] as const] : [],
  );
  return { passwords: Object.fromEntries(sound), faults };
}

function passwordFaults(name: string, value: unknown): MailRuleFault[] {
  if (!PASSWORD_NAME.test(name)) {
    const problem = "A name is none that a password can have here.";
    const fix = "Use letters, digits, hyphens and underscores, with a letter in front.";
    return [{ code: "relay-password-name", where: KEY, problem, fix }];
  }
  // Postfix's table of passwords has one line for each.
  if (typeof value === "string" && /^[^\p{C}\s](?:[^\p{C}]*[^\p{C}\s])?$/u.test(value)) return [];
  return [
    {
      code: "relay-password-malformed",
      where: `${KEY}.${name}`,
      problem:
        "The password is empty, is no text, or has a line break, a control character, or white space at an end.",
      fix: `Store it again: ${STORE.replace("<name>", name)}`,
    },
  ];
}
