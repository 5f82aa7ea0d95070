/**
 * The life of a route: how far it is at an instant, when that changes next, and what the gateway answers
 * once the route was given up.
 *
 * A route that was given up, or set inactive, goes by the times in its record alone, so that nothing has to run.
 */
import type {
  InactiveTimes,
  LeavingTimes,
  NumberedRoute,
  Route,
  RouteRecord,
  RouteStage,
} from "./route.ts";

const DAY_SECONDS = 86_400;

/** How long each stage of leaving lasts, in seconds. */
export interface LeavingLengths {
  readonly delivers: number;
  readonly defers: number;
  readonly refuses: number;
}

/**
 * - Delivers for 7 days: resolvers may keep the gateway's MX for a day (Cloudflare's highest TTL), and a
 *   sender that has mail queued by then tries for 5 days (RFC 5321 section 4.5.4.1; Postfix's
 *   `maximal_queue_lifetime`). One day remains for what nobody thought of.
 * - Defers for 2 days: mail of a connector that was forgotten stays queued at its sender, whose people see
 *   the text after 24 h (Exchange Online gives up then) and can still go on without a loss elsewhere.
 * - Refuses for 30 days: what is sent once a month is told how to go on, too.
 */
export const LEAVING: LeavingLengths = {
  delivers: 7 * DAY_SECONDS,
  defers: 2 * DAY_SECONDS,
  refuses: 30 * DAY_SECONDS,
};

/** The times of a route that is given up now. @default lengths are those of `LEAVING` */
export function leavingTimes(since: Date, lengths: LeavingLengths = LEAVING): LeavingTimes {
  const after = (seconds: number) => new Date(since.getTime() + seconds * 1000).toISOString();
  const { delivers, defers, refuses } = lengths;
  return {
    since: after(0),
    deferFrom: after(delivers),
    refuseFrom: after(delivers + defers),
    expires: after(delivers + defers + refuses),
  };
}

/**
 * How long an inactive route defers before it refuses, in seconds: 2 days, as for one that leaves. A domain that
 * is active again by then loses nothing whose sender keeps on trying (RFC 5321 section 4.5.4.1: 4 to 5 days).
 */
export const INACTIVE_DEFERS = LEAVING.defers;

/** The times of a route that is set inactive now. @default defers is `INACTIVE_DEFERS` */
export function inactiveTimes(since: Date, defers: number = INACTIVE_DEFERS): InactiveTimes {
  const refuseFrom = new Date(since.getTime() + defers * 1000);
  return { since: since.toISOString(), refuseFrom: refuseFrom.toISOString() };
}

/** How far a domain's route is: by its life, and where it is inactive, by the stricter of both. */
export function routeStage(record: RouteRecord, now: Date): RouteStage {
  const stage = lifeStage(record, now);
  return (isInForce(stage) && inactiveStage(record, now)) || stage;
}

/**
 * How far a domain's route is, whether it is inactive or not.
 *
 * A route that is given up before it ever served has nothing to wind down, and one that is proposed again
 * after its end has not ended: a proposal holds the domain.
 */
export function lifeStage(record: RouteRecord, now: Date): RouteStage {
  const { active, proposed, leaving } = record;
  const stage = active && leaving ? leavingStage(leaving, now) : active && "active";
  if (stage !== undefined && stage !== "expired") return stage;
  return proposed === undefined ? "expired" : "proposed";
}

function leavingStage({ deferFrom, refuseFrom, expires }: LeavingTimes, now: Date): RouteStage {
  const time = now.getTime();
  if (time < Date.parse(deferFrom)) return "leaving";
  if (time < Date.parse(refuseFrom)) return "deferring";
  return time < Date.parse(expires) ? "refusing" : "expired";
}

/** Refusals are alike, so that of two the later one is the stricter. */
function inactiveStage(record: RouteRecord, now: Date): "deferring" | "refusing" | undefined {
  if (record.inactive === undefined) return undefined;
  const isOver = now.getTime() >= Date.parse(record.inactive.refuseFrom);
  return isOver || lifeStage(record, now) === "refusing" ? "refusing" : "deferring";
}

function isInForce(stage: RouteStage): boolean {
  return stage !== "proposed" && stage !== "expired";
}

/** The version by which the gateway treats the domain's mail, refusals included; none: it is unknown. */
export function routeInForce(record: RouteRecord, now: Date): NumberedRoute | undefined {
  return isInForce(lifeStage(record, now)) ? record.active : undefined;
}

/** When `routeStage` will be another one by the clock alone; `undefined`: never. */
export function nextStageChange(record: RouteRecord, now: Date): Date | undefined {
  const { active, leaving, inactive } = record;
  if (active === undefined) return undefined;
  const { deferFrom, refuseFrom, expires } = leaving ?? {};
  const texts = [deferFrom, refuseFrom, expires, inactive?.refuseFrom];
  const times = texts.flatMap((text) => (text === undefined ? [] : [new Date(text)]));
  const stage = routeStage(record, now);
  return times
    .filter((time) => time > now && routeStage(record, time) !== stage)
    .toSorted((a, b) => a.getTime() - b.getTime())[0];
}

/**
 * From when on nothing of the record is needed, so that it may be deleted: ISO 8601, UTC; `undefined`: that is not
 * known yet.
 */
export function recordEnd({ proposed, leaving }: RouteRecord): string | undefined {
  return proposed === undefined ? leaving?.expires : undefined;
}

/** When the gateway will treat the domain's mail in another way by the clock alone; `undefined`: never. */
export function nextChange(record: RouteRecord, now: Date): Date | undefined {
  const { formerServer } = record;
  const ends = [formerServer?.accepts?.until, formerServer?.until];
  const stageChange = nextStageChange(record, now);
  const times = ends.flatMap((end) => (end === undefined ? [] : [new Date(end)]));
  if (stageChange !== undefined) times.push(stageChange);
  return times.filter((time) => time > now).toSorted((a, b) => a.getTime() - b.getTime())[0];
}

/** An SMTP refusal, apart from its reply code. */
export interface Refusal {
  /** `defer`: the sender tries again later (4xx). `refuse`: it does not (5xx). */
  readonly action: "defer" | "refuse";
  /** The enhanced status code (RFC 3463): x.7.1, delivery not authorised. */
  readonly status: "4.7.1" | "5.7.1";
  /** What a person is to do. One line of ASCII. */
  readonly text: string;
}

/** `inbound`: mail for the domain. `outbound`: mail that the domain sends through the gateway. */
export type MailDirection = "inbound" | "outbound";

/**
 * What the gateway answers at RCPT to mail of a domain that was given up or is inactive; `undefined` where the
 * domain is served, or not known at all.
 */
export function stageRefusal(
  record: RouteRecord,
  direction: MailDirection,
  now: Date,
): Refusal | undefined {
  const route = routeInForce(record, now)?.route;
  if (route === undefined) return undefined;
  const ended = endRefusal(record, direction, now);
  const stage = inactiveStage(record, now);
  if (stage === undefined || ended?.action === "refuse") return ended;
  const what =
    direction === "inbound"
      ? `${route.domain} is inactive at this gateway, which takes no mail for it now`
      : `${route.domain} is inactive at this gateway, which sends none of its mail now`;
  return refusalOf(stage, what, route);
}

/** As `stageRefusal`, of a domain that was given up. Nothing more is delivered then, what is queued neither. */
export function endRefusal(
  record: RouteRecord,
  direction: MailDirection,
  now: Date,
): Refusal | undefined {
  const route = routeInForce(record, now)?.route;
  const stage = lifeStage(record, now);
  if (route === undefined || (stage !== "deferring" && stage !== "refusing")) return undefined;
  const todo =
    direction === "inbound"
      ? `${route.domain} no longer receives mail through this gateway: its MX or its mail flow rules must change`
      : `${route.domain} no longer sends mail through this gateway: its outbound connector must change`;
  return refusalOf(stage, todo, route);
}

function refusalOf(stage: "deferring" | "refusing", what: string, { fixIt }: Route): Refusal {
  const text = `${what}, see ${fixIt}`;
  return stage === "deferring"
    ? { action: "defer", status: "4.7.1", text }
    : { action: "refuse", status: "5.7.1", text };
}
