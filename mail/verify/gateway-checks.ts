/** Whether the gateway's route store and its slots have what the stack says. */
import type { RouteRecord, SlotAnswer } from "../route.ts";
import { type Check, judged, notice, well, wrong } from "./check.ts";
import type { DomainEvidence, FleetView, RouteStanding } from "./evidence.ts";

/** The route that serves is the stack's. */
export function checkRoute(evidence: DomainEvidence): readonly Check[] {
  const { route, store, now } = evidence;
  return judged("route", store, ({ record }) => {
    if (route === undefined) return [];
    if (record === undefined) return [noRoute("The route store has no route of the domain.")];
    if (record.active === undefined) return [notYet(record)];
    if (record.leaving !== undefined) return [given(record, now)];
    const differing = differences(route, record);
    const faults = [
      ...(differing.length === 0
        ? []
        : [
            wrong(
              "route",
              `Version ${record.active.version}, which serves, is not the stack's: ${differing.join(", ")}.`,
              "Someone else changed it: run pulumi up --refresh to bring the stack's route back.",
            ),
          ]),
      ...(record.proposed === undefined ? [] : [notYet(record)]),
    ];
    if (faults.length > 0) return faults;
    const { version, route: serving } = record.active;
    return [well("route", `Version ${version} serves, Server ${serving.server}.`)];
  });
}

function noRoute(text: string): Check {
  return wrong("route", text, "Run pulumi up --refresh: it proposes the route again.");
}

function notYet({ active, proposed }: RouteRecord): Check {
  const now = active === undefined ? "nothing serves" : `version ${active.version} goes on serving`;
  return wrong(
    "route",
    `Version ${proposed?.version ?? 1} is proposed and not proven by every slot; ${now}.`,
    "Run pulumi up: it goes on, and says what a slot could not prove.",
  );
}

function given({ leaving }: RouteRecord, now: Date): Check {
  const since = leaving?.since ?? "";
  const deferFrom = leaving?.deferFrom ?? "";
  const end =
    Date.parse(deferFrom) > now.getTime()
      ? `it delivers until ${deferFrom}`
      : `it delivers no more since ${deferFrom}`;
  return noRoute(`The route was given up at ${since}, while the stack has it: ${end}.`);
}

/** Each field that serves another value than the stack's. */
function differences(
  { route, inactive }: RouteStanding,
  { active, inactive: times }: RouteRecord,
): string[] {
  if (active === undefined) return [];
  const serving = active.route;
  const keys = ["server", "mxLookup", "inbound", "outbound", "probeRecipient", "fixIt"] as const;
  const isInactive = times !== undefined;
  return [
    ...keys
      .filter((key) => serving[key] !== route[key])
      .map((key) => `${key} is ${serving[key]}, the stack says ${route[key]}`),
    ...(isInactive === inactive ? [] : [`inactive is ${isInactive}, the stack says ${inactive}`]),
  ];
}

/** Every slot's maps hold the record as it is now. */
export function checkAcknowledged({ route, store }: DomainEvidence): readonly Check[] {
  if (store.kind !== "read" || store.value.record?.active === undefined) return [];
  const { record, answers, slots } = store.value;
  const lagging = slots.filter((slot) => {
    const answer = answers.find((each) => each.slot === slot);
    return (answer?.acknowledged ?? 0) < record.revision;
  });
  const excluded = new Set(route?.excludeSlots);
  const waited = lagging.filter((slot) => !excluded.has(slot));
  const left = lagging.filter((slot) => excluded.has(slot));
  return [
    ...(waited.length > 0
      ? [
          wrong(
            "slots-acknowledged",
            `${listOf(waited)} ${waited.length === 1 ? "has" : "have"} not taken over revision ${record.revision} of the route: mail that reaches ${waited.length === 1 ? "it" : "them"} is treated by an older one, or refused.`,
            "If it does not pass within a minute, look at the slot's agent (docs/gateway.md).",
          ),
        ]
      : []),
    ...(left.length > 0
      ? [
          notice(
            "slots-acknowledged",
            `${listOf(left)}, left out by excludeSlots, ${left.length === 1 ? "does" : "do"} not hold the route.`,
            "Delete excludeSlots once the slot is back.",
          ),
        ]
      : []),
    ...(lagging.length === 0
      ? [well("slots-acknowledged", `${listOf(slots)} hold revision ${record.revision}.`)]
      : []),
  ];
}

/** Each slot has itself tried the version that serves. One that joined the fleet later has not. */
export function checkProven({ store }: DomainEvidence): readonly Check[] {
  if (store.kind !== "read" || store.value.record?.active === undefined) return [];
  const { record, answers, slots } = store.value;
  const version = record.active?.version;
  const without = slots.filter((slot) => !hasProven(slot, answers, version));
  if (without.length === 0) {
    return [well("slots-proven", `${listOf(slots)} have proven version ${version}.`)];
  }
  return [
    notice(
      "slots-proven",
      `${listOf(without)} ${without.length === 1 ? "has" : "have"} no proof of version ${version}, which serves: a slot that joined the fleet later, or tries another version now, has none.`,
      "Where rcpt is well at its address, nothing is to be done. A change of the route lets every slot prove it.",
    ),
  ];
}

function hasProven(
  slot: string,
  answers: readonly SlotAnswer[],
  version: number | undefined,
): boolean {
  const proof = answers.find((answer) => answer.slot === slot)?.proof;
  return proof?.verdict === "proven" && proof.version === version;
}

/** Slots report every 5 s. */
const SILENT_SECONDS = 180;

/** The fleet itself: every slot reports, and is well. */
export function checkFleet(
  { slots, reports, excludeSlots }: FleetView,
  now: Date,
): readonly Check[] {
  if (slots.length === 0) {
    return [wrong("slots-healthy", "The gateway has no slot.", "Bring the gateway's stack up.")];
  }
  const faults = slots.flatMap((slot) => {
    const report = reports.find((each) => each.slot === slot);
    const words = faultOf(report, now);
    if (words === undefined) return [];
    const text = `Slot ${slot} ${words}`;
    return excludeSlots.includes(slot)
      ? [notice("slots-healthy", `${text} It is left out by excludeSlots.`)]
      : [
          wrong(
            "slots-healthy",
            text,
            "Look at the slot (docs/gateway.md), or replace it with pulumi up of the gateway's stack.",
          ),
        ];
  });
  return faults.length > 0
    ? faults
    : [well("slots-healthy", `${listOf(slots)} report that all is well.`)];
}

function faultOf(report: FleetView["reports"][number] | undefined, now: Date): string | undefined {
  if (report === undefined) return "has never been heard of.";
  const age = (now.getTime() - Date.parse(report.heartbeat)) / 1000;
  if (age > SILENT_SECONDS) return `was last heard of at ${report.heartbeat}.`;
  if (!report.healthy) return `says that it is not well: ${report.faults.join(", ")}.`;
  return report.closing === undefined ? undefined : "is told to take no more mail.";
}

function listOf(slots: readonly string[]): string {
  return slots.length === 1 ? `Slot ${slots[0]}` : `Slots ${slots.join(", ")}`;
}
