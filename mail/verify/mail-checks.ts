/** Whether mail goes the way that the stack says: in through the gateway, and out through it or not. */
import type { LastMail, RouteRecord, SlotAnswer } from "../route.ts";
import { routeStage } from "../route-life.ts";
import { type Check, notice, well, wrong } from "./check.ts";
import type { DomainEvidence } from "./evidence.ts";

/** A bypass is no fault, and nobody should forget it. */
export function checkBypass({ takeover }: DomainEvidence): readonly Check[] {
  if (takeover === undefined || !takeover.bypass) return [];
  return [
    notice(
      "bypass",
      "The domain is bypassed: incoming mail goes straight to the mail system, not through the gateway.",
      "Delete bypass from the domain's entry and run pulumi up to go back to the gateway.",
    ),
  ];
}

/** What the gateway answers to mail of a domain that is inactive or was given up, in words. */
export function checkInactive({ store, now }: DomainEvidence): readonly Check[] {
  if (store.kind !== "read" || store.value.record === undefined) return [];
  const { record } = store.value;
  const stage = routeStage(record, now);
  if (stage !== "deferring" && stage !== "refusing") return [];
  const { inactive } = record;
  const why =
    inactive === undefined
      ? "The domain was given up"
      : `The domain is inactive since ${inactive.since}`;
  const code =
    stage === "refusing"
      ? "refused with 5xx"
      : `put off with 4xx${inactive === undefined ? "" : `, from ${inactive.refuseFrom} refused with 5xx`}`;
  const text = `${why}: its mail is ${code}, in and out.`;
  const fix = "Set it active in the stack's file and run pulumi up to let its mail pass again.";
  return [notice("inactive", text, inactive === undefined ? undefined : fix)];
}

/** A move to another gateway that is not done: the former one still serves the domain, and SPF names both. */
export function checkMoving({ route }: DomainEvidence): readonly Check[] {
  return (route?.former ?? []).map(({ table, mxGoneSince }) => {
    const mx = mxGoneSince === undefined ? "" : `, which the MX do not name since ${mxGoneSince}`;
    return notice(
      "moving",
      `The domain still is at its former gateway, of the route table ${table}${mx}.`,
      "Point the mail system's connectors at the new gateway, and run pulumi up: it leaves the former one once nothing goes there any more.",
    );
  });
}

/** Mail comes in through the gateway, or has not for too long. */
export function checkInbound(evidence: DomainEvidence): readonly Check[] {
  const { takeover, store, now, silenceSeconds } = evidence;
  if (takeover === undefined || takeover.bypass || store.kind !== "read") return [];
  const { record, answers } = store.value;
  if (record === undefined || routeStage(record, now) !== "active") return [];
  const last = latest(answers, "lastInbound");
  const words = last === undefined ? "None has come in yet" : `The last one came in at ${last.at}`;
  const since = [last?.at, takeover.since]
    .filter((at) => at !== undefined)
    .toSorted()
    .at(-1);
  if (since === undefined)
    return [notice("inbound-mail", `${words}; since when the MX stand is not known.`)];
  const silent = (now.getTime() - Date.parse(since)) / 1000;
  if (silent <= silenceSeconds) return [well("inbound-mail", `${words}.`)];
  const mx = last === undefined ? `, though the MX stand since ${since}` : "";
  return [
    wrong(
      "inbound-mail",
      `${words}${mx}: nobody writes to the domain, or its mail arrives around the gateway.`,
      "Look at the Received lines of a recent message. What does not pass the gateway is sent by a fixed way to the mail system: a filter's or partner's connector, an old MX name, another domain's alias. If so little mail is normal, give --quiet-hours.",
    ),
  ];
}

/** Mail that was sent so lately counts as still leaving. In seconds. */
const RECENT_SECONDS = 86_400;

/** Mail leaves through the gateway only where the stack says so. */
export function checkOutbound({ store, route, now }: DomainEvidence): readonly Check[] {
  if (store.kind !== "read" || store.value.record === undefined) return [];
  const { record, answers } = store.value;
  const last = latest(answers, "lastOutbound");
  const end = outboundEnd(record, now, route?.route.outbound === "none");
  if (end === undefined) {
    const words =
      last === undefined
        ? "Nothing has left through the gateway yet."
        : `The last message left at ${last.at}, from ${last.from}.`;
    return [well("outbound-mail", words)];
  }
  if (last === undefined || Date.parse(last.at) <= end.since) {
    return [well("outbound-mail", `Nothing leaves through the gateway, as ${end.why}.`)];
  }
  return [
    wrong(
      "outbound-mail",
      `Mail still leaves through the gateway, though ${end.why}: last at ${last.at}, ${trafficSince(answers, end.since)}.`,
      "Switch off the connector, rule or smarthost of the mail system that sends to smtp-relay (Microsoft 365: connector and mail flow rules; Google: outbound gateway or routing rules).",
    ),
  ];
}

/** Since when nothing should leave, in milliseconds; `undefined`: mail may leave. */
function outboundEnd(
  { active, leaving, inactive, proposed }: RouteRecord,
  now: Date,
  isNone: boolean,
): { readonly since: number; readonly why: string } | undefined {
  if (leaving !== undefined && proposed === undefined) {
    return { since: Date.parse(leaving.since), why: `the domain was given up at ${leaving.since}` };
  }
  if (inactive !== undefined) {
    return {
      since: Date.parse(inactive.since),
      why: `the domain is inactive since ${inactive.since}`,
    };
  }
  const refuses = isNone || active?.route.outbound === "none";
  if (!refuses) return undefined;
  return { since: now.getTime() - RECENT_SECONDS * 1000, why: "the stack says outbound none" };
}

type Direction = "lastInbound" | "lastOutbound";

function latest(answers: readonly SlotAnswer[], direction: Direction): LastMail | undefined {
  return answers
    .flatMap((answer) => answer[direction] ?? [])
    .toSorted((one, other) => one.at.localeCompare(other.at))
    .at(-1);
}

/** Who sent after an instant, each once, and how much passed in the present spells, where the slots tell that. */
function trafficSince(answers: readonly SlotAnswer[], since: number): string {
  const mail = answers.flatMap(({ lastOutbound }) => lastOutbound ?? []);
  const loud = mail.filter(({ at }) => Date.parse(at) > since);
  const clients = loud.flatMap((last) => last.clients?.latest ?? [last]);
  const from = clients.filter(({ at }) => Date.parse(at) > since).map(({ from: client }) => client);
  const spells = loud.flatMap(({ spell }) => spell ?? []);
  const [begun] = spells.map((spell) => spell.since).toSorted();
  const messages = spells.reduce((sum, spell) => sum + spell.messages, 0);
  const count = begun === undefined ? "" : `, ${messages} since ${begun}`;
  return `from ${[...new Set(from)].join(", ")}${count}`;
}
