/** What a preview of a gateway's stack means for the mail of everybody on it: what becomes of its hosts and stores. */

import { isRenamed, namesRisks } from "./gateway-names.ts";
import type { SeenResource, StackPreview } from "./preview-reader.ts";
import type { RiskLevel } from "./risk-ids.ts";
import type { Risk } from "./stack-report.ts";
import { isTouched } from "./technical.ts";

const HOST = "aws:ec2/instance:Instance";
/** What all hosts need: the routes, their secrets, and the queues. */
const STORES: Readonly<Record<string, string>> = {
  "aws:dynamodb/table:Table": "the table of routes",
  "aws:kms/key:Key": "the key of the secrets",
  "aws:ebs/volume:Volume": "the queue of a host",
};

interface Hosts {
  readonly added: readonly string[];
  readonly renewed: readonly string[];
  readonly going: readonly string[];
  /** How many there are afterwards. */
  readonly left: number;
}

export function gatewaySummary(preview: StackPreview): string {
  const touched = preview.resources.filter(isTouched);
  if (touched.length === 0) {
    return preview.settings === undefined
      ? "Nothing changes at the gateway."
      : "Nothing changes at the gateway but the settings of the providers.";
  }
  const ofStack = touched.find(({ type }) => type === "pulumi:pulumi:Stack")?.op;
  const { added, renewed, going } = hostsOf(preview);
  if (ofStack === "create") {
    return `The gateway is built, with ${hostWords(added)}. No domain uses it yet.`;
  }
  if (ofStack === "delete") return `The gateway is taken down, with ${hostWords(going)}.`;
  const sentences = [
    ...(added.length > 0 ? [`It gets ${hostWords(added)}.`] : []),
    ...(renewed.length > 0
      ? [
          `It replaces ${hostWords(renewed)}, one after the other: each leaves DNS first, and its queue stays.`,
        ]
      : []),
    ...(going.length > 0 ? [`It closes, empties and removes ${hostWords(going)}.`] : []),
  ];
  const words = sentences.length === 0 ? "Its hosts stay as they are." : sentences.join(" ");
  return `The gateway changes. ${words} ${recordWords(preview)}`;
}

function recordWords(preview: StackPreview): string {
  return isRenamed(preview)
    ? "Its names change, and the records of its domains lead to the former ones."
    : "Its domains keep their records.";
}

export function gatewayRisks(preview: StackPreview): Risk[] {
  const { renewed, going, left } = hostsOf(preview);
  const stores = preview.resources
    .filter((each) => isReplaced(each) || each.op === "delete")
    .flatMap(({ type }) => STORES[type] ?? []);
  return [
    ...namesRisks(preview),
    ...(stores.length > 0
      ? [risk("high", `This goes or is made anew: ${[...new Set(stores)].join(", ")}.`)]
      : []),
    ...(going.length > 0
      ? [
          risk(
            left === 0 ? "high" : "medium",
            `The gateway would lose ${hostWords(going)}; ${left} would be left.`,
          ),
        ]
      : []),
    ...(renewed.length > 0
      ? [
          risk(
            left === 1 ? "high" : "low",
            `The gateway would be without ${hostWords(renewed)} for a while, one at a time, of ${left} in all.`,
          ),
        ]
      : []),
  ];
}

function risk(level: RiskLevel, text: string): Risk {
  return {
    id: "gateway-smaller",
    level,
    text: `${text} The mail of every domain at the gateway passes there.`,
    fix: "See that enough hosts stay in service, and that no domain still needs what goes.",
  };
}

function hostsOf({ resources }: StackPreview): Hosts {
  const hosts = resources.filter(({ type }) => type === HOST);
  const namesOf = (is: (host: SeenResource) => boolean) => [
    ...new Set(hosts.filter(is).map(slotOf)),
  ];
  const going = namesOf(({ op }) => op === "delete");
  const all = namesOf(() => true);
  return {
    added: namesOf(({ op }) => op === "create"),
    renewed: namesOf(isReplaced),
    going,
    left: all.length - going.length,
  };
}

/** `a` of `…::gateway-a`. */
function slotOf({ urn }: SeenResource): string {
  return urn.slice(urn.lastIndexOf("-") + 1);
}

function isReplaced({ op }: SeenResource): boolean {
  return op === "replace" || op === "create-replacement" || op === "delete-replaced";
}

/** `host a`, `hosts a, b`. */
function hostWords(slots: readonly string[]): string {
  return slots.length === 1 ? `host ${slots[0]}` : `hosts ${slots.join(", ")}`;
}
