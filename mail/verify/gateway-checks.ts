/** Whether the gateway's route store and its slots have what the stack says. */
import type { Route, RouteRecord, SlotAnswer } from "../route.ts";
import { describeLookup, describeRelay, listChange } from "../route-words.ts";
import { formatSendingIdentity } from "../sending-identity.ts";
import { beginsToLeaveHere, describeWayOut } from "../way-out.ts";
import { type Check, judged, notice, well, wrong } from "./check.ts";
import type { DomainEvidence, FleetView, RouteStanding, StackRoute } from "./evidence.ts";

/** The route that serves is the stack's. */
export function checkRoute(evidence: DomainEvidence): readonly Check[] {
  const { route, store, now } = evidence;
  return judged("route", store, ({ record }) => {
    if (route === undefined) return [];
    if (record === undefined) return [noRoute("The route store has no route of the domain.")];
    if (record.active === undefined) return [notYet(record)];
    if (record.leaving !== undefined) return [given(record, now)];
    const waiting = waitsForSpf(route, record.active.route);
    const differing = differences(route, record, waiting.length > 0);
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
    if (faults.length + waiting.length > 0) return [...faults, ...waiting];
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

/** A change of the way out that takes two runs, of which the first was made: see `keepWayOut`. */
function waitsForSpf({ route, awaitsSpf }: RouteStanding, serving: Route): readonly Check[] {
  if (!awaitsSpf || !beginsToLeaveHere(serving, route)) return [];
  return [
    notice(
      "route",
      `Outbound mail still leaves through ${describeWayOut(serving)}: the domain's SPF record did not name the gateway yet when the stack changed that.`,
      "Run pulumi up again once receivers have forgotten the SPF record of before (its TTL, 5 minutes by default): then mail leaves from the gateway.",
    ),
  ];
}

/**
 * Each field that serves another value than the stack's.
 *
 * @param keepsWayOut the way out is known to be that of before
 */
function differences(
  { route, inactive }: RouteStanding,
  { active, inactive: times }: RouteRecord,
  keepsWayOut: boolean,
): string[] {
  if (active === undefined) return [];
  const serving = fieldsOf({
    ...active.route,
    sendingFrom: active.route.identities.map(formatSendingIdentity),
    inactive: times !== undefined,
  });
  const wanted = new Map(fieldsOf({ ...route, inactive }));
  const passed = keepsWayOut ? WAY_OUT : [];
  return [
    ...serving
      .filter(([key, value]) => wanted.get(key) !== value && !passed.includes(key))
      .map(([key, value]) => `${key} is ${value}, the stack says ${wanted.get(key)}`),
    ...listChange(route, active.route),
  ];
}

const WAY_OUT = ["outbound", "relayServer"];

/** A password is none of them: the route store does not have it. */
function fieldsOf(
  route: StackRoute & Pick<RouteStanding, "inactive">,
): (readonly [key: string, value: string])[] {
  const keys = [
    "server",
    "mxLookup",
    "inbound",
    "outbound",
    "probeRecipient",
    "fixIt",
    "inactive",
  ] as const;
  return [
    ...keys.map((key) => [key, String(route[key])] as const),
    ["rcptLookup", describeLookup(route.rcptLookup)],
    ["relayServer", describeRelay(route.relayServer)],
    ["sendingFrom", route.sendingFrom.toSorted().join(" ") || "none"],
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
