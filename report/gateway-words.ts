/** What a preview of a gateway's stack means for the mail of everybody on it. */
import type { SeenResource, StackPreview } from "./preview-reader.ts";
import type { Risk } from "./stack-report.ts";
import { isTouched } from "./technical.ts";

/** What mail passes: without one of these there is one host less. */
const HOSTS = /^aws:ec2\/(?:instance:Instance|eip:Eip|volumeAttachment:VolumeAttachment)$/;
/** What all hosts need. */
const STORES = /^aws:(?:dynamodb\/table:Table|kms\/key:Key|ebs\/volume:Volume)$/;
const SLOT = "mxhero:index:GatewaySlot";

export function gatewaySummary(preview: StackPreview, stack: string): string {
  const touched = preview.resources.filter(isTouched);
  if (touched.length === 0) return `Nothing changes at the gateway ${stack}.`;
  const isNew = touched.some(({ type, op }) => type === "pulumi:pulumi:Stack" && op === "create");
  if (isNew) return `The gateway ${stack} is built. No domain uses it yet.`;
  const isGone = touched.some(({ type, op }) => type === "pulumi:pulumi:Stack" && op === "delete");
  if (isGone)
    return `The gateway ${stack} is taken down, with all its hosts. No domain may use it any more.`;
  const going = touched.filter(isGoing).length;
  const renewed = touched.filter(isReplaced).length;
  const words = [
    ...(going > 0 ? [`${going} of its parts go`] : []),
    ...(renewed > 0 ? [`${renewed} are replaced`] : []),
  ];
  const rest = words.length === 0 ? "" : `: ${words.join(", ")}`;
  return `The gateway ${stack} changes${rest}. Its domains keep their records.`;
}

export function gatewayRisks(preview: StackPreview): Risk[] {
  const affected = preview.resources.filter(
    (each) => (isGoing(each) || isReplaced(each)) && isHeavy(each),
  );
  if (affected.length === 0) return [];
  const names = affected.map(({ urn }) => urn.split("::").slice(3).join("::"));
  const shown = [...new Set(names)].slice(0, 5).join(", ");
  const more = new Set(names).size > 5 ? ` and ${new Set(names).size - 5} more` : "";
  return [
    {
      id: "gateway-smaller",
      level: "high",
      text: `Hosts or stores of the gateway go or are replaced (${shown}${more}). The mail of every domain on it passes there.`,
      fix: "See that enough slots stay in service, and that no domain still needs what goes. The run takes one slot out of service at a time.",
    },
  ];
}

function isHeavy({ type }: SeenResource): boolean {
  return HOSTS.test(type) || STORES.test(type) || type === SLOT;
}

function isGoing({ op }: SeenResource): boolean {
  return op === "delete";
}

function isReplaced({ op }: SeenResource): boolean {
  return op === "replace";
}
