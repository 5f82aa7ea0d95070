/** What happens to a domain, by what a preview would do to its parts. */
import { isKnown, type Part } from "./kept-values.ts";
import type { MailDomain, SeenPart } from "./mail-domain.ts";
import { hasFlowChange } from "./mail-flow.ts";
import { CHANGE_KINDS, type ChangeKind } from "./stack-report.ts";

/** All that happens to it, the weightiest first. Never empty. */
export function changesOf(domain: MailDomain): readonly ChangeKind[] {
  if (isUnknown(domain)) return ["unknown"];
  if (opOf(domain, "component") === "delete") return ["offboard"];
  if (isCreate(opOf(domain, "component"))) return ["onboard"];
  const found = new Set<ChangeKind>([
    ...directionOf(domain),
    ...gatewayOf(domain),
    ...activityOf(domain),
    ...bypassOf(domain),
    ...(hasChanged(domain, ["mx", "route"], ["server"]) ? (["server"] as const) : []),
  ]);
  if (found.size > 0) return CHANGE_KINDS.filter((kind) => found.has(kind));
  return [domain.parts.some(isTouched) ? "other" : "unchanged"];
}

/** The preview of one of its parts failed, or did not get so far. */
function isUnknown({ said, parts, new: next }: MailDomain): boolean {
  if (said.some(({ severity }) => severity === "error")) return true;
  const isGoing = parts.some(({ part, op }) => part === "component" && op === "delete");
  return !isGoing && next.component?.report === undefined;
}

export function isTouched({ op }: SeenPart): boolean {
  return op !== "same" && op !== "refresh" && op !== "read";
}

function isCreate(op: string | undefined): boolean {
  return op === "create" || op === "import";
}

export function opOf({ parts }: MailDomain, part: Part): string | undefined {
  return parts.find((each) => each.part === part)?.op;
}

/** Whether one of these properties of one of these parts differs. */
export function hasChanged(
  { parts }: MailDomain,
  of: readonly Part[],
  properties: readonly string[],
): boolean {
  return parts.some(
    ({ part, changes }) =>
      of.includes(part) && changes.some(({ path }) => properties.includes(topOf(path))),
  );
}

/** `mx` of `mx[1].exchange`. */
export function topOf(path: string): string {
  return /^[^.[]*/.exec(path)?.[0] ?? path;
}

/** Mail in one direction comes to the gateway, or goes from it. */
function directionOf(domain: MailDomain): ChangeKind[] {
  const ops = [opOf(domain, "mx"), opOf(domain, "drain")];
  const isSeen = ops.some((op) => isCreate(op) || op === "delete");
  return isSeen || hasFlowChange(domain) ? ["direction"] : [];
}

/** The same gateway may get other hosts: only another name of its own, or another store, is another gateway. */
function gatewayOf(domain: MailDomain): ChangeKind[] {
  const isOtherStore = hasChanged(domain, ["route", "drain"], ["store"]);
  const hasOtherHosts =
    hasChanged(domain, ["mx"], ["mx"]) || hasChanged(domain, ["drain"], ["relay"]);
  return isOtherStore || (hasOtherHosts && !hasSameGateway(domain)) ? ["other-gateway"] : [];
}

/** Where nobody knows its name, it is not the same. */
function hasSameGateway({ old, new: next }: MailDomain): boolean {
  const [was, will] = [old.component?.report?.gateway, next.component?.report?.gateway];
  return isKnown(was) && was === will;
}

function activityOf(domain: MailDomain): ChangeKind[] {
  if (!hasChanged(domain, ["route"], ["inactive"])) return [];
  return [domain.new.route?.inactive === true ? "inactivate" : "activate"];
}

function bypassOf(domain: MailDomain): ChangeKind[] {
  if (!hasChanged(domain, ["mx"], ["bypass"])) return [];
  return [domain.new.mx?.bypass === true ? "bypass" : "end-bypass"];
}
