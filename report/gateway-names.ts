/**
 * What a preview of a gateway's stack means for the names by which its domains' records lead to it. The stack's outputs
 * tell them; another zone shows at the records alone.
 */
import { z } from "zod";
import type { SeenResource, StackPreview } from "./preview-reader.ts";
import { risk } from "./risk.ts";
import type { Risk } from "./stack-report.ts";

/** Names of a gateway that differ, by the stack's output: `smtpIn`. */
export type NamesChange = Readonly<
  Record<string, { readonly before: string; readonly after: string }>
>;

const RECORD = "cloudflare:index/dnsRecord:DnsRecord";
const name = z.string().optional().catch(undefined);
const state = z
  .object({ outputs: z.object({ smtpIn: name, smtpRelay: name, smtp: name, spfInclude: name }) })
  .partial()
  .nullish()
  .catch(undefined)
  .transform((found) => found?.outputs ?? {});

/** Of the stack's last event. `undefined` where none differs, and where the stack is new or is to go. */
export function namesChange(step: {
  readonly old?: unknown;
  readonly new?: unknown;
}): NamesChange | undefined {
  const [was, will] = [state.parse(step.old), state.parse(step.new)];
  const names = (["smtpIn", "smtpRelay", "smtp", "spfInclude"] as const).flatMap((key) => {
    const [before, after] = [was[key], will[key]];
    const isOther = before !== undefined && after !== undefined && before !== after;
    return isOther ? [[key, { before, after }] as const] : [];
  });
  return names.length === 0 ? undefined : Object.fromEntries(names);
}

export function isRenamed(preview: StackPreview): boolean {
  return preview.names !== undefined || preview.resources.some(isMovedRecord);
}

export function namesRisks(preview: StackPreview): Risk[] {
  if (!isRenamed(preview)) return [];
  const names = Object.values(preview.names ?? {});
  const records = new Set(preview.resources.filter(isMovedRecord).map(nameOf));
  const what =
    names.length > 0
      ? `The gateway would change its names: ${names.map(({ before, after }) => `${before} to ${after}`).join(", ")}.`
      : `Records of the gateway would go to another name or zone: ${[...records].join(", ")}.`;
  return [
    risk(
      "gateway-renamed",
      "high",
      `${what} The MX and SPF records of every domain at the gateway name the former ones: they would lead nowhere.`,
      "Keep the names. Build a second gateway's stack with the new ones, and move the domains to it (README, To another gateway).",
    ),
  ];
}

/** A record that only goes is one of a host that goes. */
function isMovedRecord({ type, changes }: SeenResource): boolean {
  return type === RECORD && changes.some(({ path }) => path === "name" || path === "zoneId");
}

function nameOf({ urn }: SeenResource): string {
  return urn.split("::").slice(3).join("::");
}
