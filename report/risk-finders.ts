/** The risks of what happens to a domain, one function for each. docs/report.md explains them. */
import { longestTtl } from "../mail/lock-down.ts";
import { INACTIVE_DEFERS } from "../mail/route-life.ts";
import { isTouched, opOf } from "./domain-change.ts";
import { isDrifted, mxWords } from "./domain-diff.ts";
import { displayNameOf } from "./domain-facts.ts";
import { isKnown } from "./kept-values.ts";
import { type Finder, type RiskWorld, risk, sortRisks } from "./risk.ts";
import { outboundOnWord } from "./risk-outbound.ts";
import { noteRisk, SAID_FINDERS } from "./risk-said.ts";
import { notesOf } from "./said.ts";
import { span } from "./span.ts";
import type { Risk } from "./stack-report.ts";

/** The worst first. */
export function risksOf(world: RiskWorld): Risk[] {
  return sortRisks(FINDERS.flatMap((find) => find(world)));
}

/** Mail to the domain goes straight to its former MX. */
function goesBack({ domain, kinds }: RiskWorld): boolean {
  if (kinds.includes("bypass")) return true;
  return opOf(domain, "mx") === "delete";
}

/** Mail to the domain begins to arrive at the gateway. */
function comesIn({ domain, kinds }: RiskWorld): boolean {
  if (domain.new.mx?.bypass === true) return false;
  return opOf(domain, "mx") === "create" || kinds.includes("end-bypass");
}

const connectorLocked: Finder = (world) => {
  if (!goesBack(world)) return [];
  const { mx } = world.domain.old;
  if ((world.domain.new.mx ?? mx)?.handBackConfirmed === true) return [];
  return [
    risk(
      "old-connector-locked",
      "medium",
      "If the mail system still accepts mail from the gateway's addresses only, everyone else would be refused once mail goes straight to it.",
      "Lift that lock first (the steps say how). The run asks the mail system before it moves the MX, and stops where it refuses.",
    ),
  ];
};

const onWord: Finder = (world) => {
  const values = world.domain.new.mx ?? world.domain.old.mx;
  if (!goesBack(world) || values?.handBackConfirmed !== true) return [];
  return [
    risk(
      "hand-back-on-word",
      "high",
      "handBackConfirmed is set: nobody tests whether the mail system takes mail from everyone. If it is still locked to the gateway, all mail to the domain is refused.",
      "See yourself that a message that does not come from the gateway is accepted, or delete handBackConfirmed so that the run tests it.",
    ),
  ];
};

const formerStale: Finder = ({ domain, kinds }) => {
  const { mx } = domain.new;
  const isMoved = kinds.includes("server") && mx !== undefined && mx.handBackTo === undefined;
  if (!isMoved || opOf(domain, "mx") === "create") return [];
  return [
    risk(
      "former-mx-stale",
      "medium",
      `When the domain leaves the gateway one day, or is bypassed, its mail goes to the MX of before: ${mxWords(mx.before).join(", ")}. If the mail system has moved, that leads nowhere.`,
      "If the mail system has moved for good, write its MX as handBackTo.",
    ),
  ];
};

const mailRefused: Finder = ({ kinds }) =>
  kinds.includes("inactivate")
    ? [
        risk(
          "mail-refused",
          "high",
          `Mail to and from the domain is refused for good ${span(INACTIVE_DEFERS)} after the run, and comes back to its senders.`,
          "Where mail is to go on flowing, write bypass: true for a domain whose MX point at the gateway, or let the domain leave it.",
        ),
      ]
    : [];

const senderRefused: Finder = ({ domain }) => {
  const was = domain.old.component?.report?.route?.sendingFrom;
  const will = domain.new.component?.report?.route?.sendingFrom;
  if (!Array.isArray(was) || !Array.isArray(will)) return [];
  const lost = was.filter((sender) => !will.includes(sender));
  if (lost.length === 0) return [];
  return [
    risk(
      "sender-refused",
      "medium",
      `The gateway will refuse mail of the domain from ${lost.join(", ")}.`,
      "See that nothing sends from there any more. The run waits, or stops, where somebody still does.",
    ),
  ];
};

const serverNotChanged: Finder = ({ domain, kinds }) => {
  const was = domain.old.component?.report;
  const will = domain.new.component?.report;
  if (!isKnown(was?.mailSystem) || !isKnown(will?.mailSystem)) return [];
  if (was.mailSystem === will.mailSystem || kinds.includes("server")) return [];
  return [
    risk(
      "server-not-changed",
      "high",
      `The mail system changes from ${was.mailSystem} to ${will.mailSystem}, but the Server stays the same: mail would still be handed to the old one.`,
      "Write the new mail system's host as server.",
    ),
  ];
};

const spfBudget: Finder = ({ domain }) => {
  const { lookups, lookupsByTerm } = domain.new.spf ?? {};
  const isTouchedNow = domain.parts.some((part) => part.part === "spf" && isTouched(part));
  if (!isKnown(lookups) || lookups < 9 || !isTouchedNow) return [];
  return [
    risk(
      "spf-budget",
      lookups > 10 ? "high" : "medium",
      `The SPF record will use ${isKnown(lookupsByTerm) ? lookupsByTerm : `${lookups} of 10 lookups`}. With more than 10 every receiver rejects it, and a change by somebody else, in a record that it includes, is enough.`,
      "Take out senders that are no longer used, or name them by their addresses (ip4:, ip6:).",
    ),
  ];
};

const DAY_SECONDS = 86_400;

const longTtl: Finder = (world) => {
  const ttl = longestTtl(world.domain.new.mx?.former ?? []);
  if (!comesIn(world) || ttl === undefined || ttl < DAY_SECONDS) return [];
  return [
    risk(
      "long-ttl",
      "medium",
      `Senders may remember the former MX for ${span(ttl)} (its TTL): until then a part of the mail does not come through the gateway.`,
      "Lower the TTL of the MX to 300 now, and merge once the old TTL has passed; or keep the former mail host open for that long.",
    ),
  ];
};

const relaySpf: Finder = ({ domain }) => {
  const was = domain.old.component?.report?.directives?.relayServer;
  const will = domain.new.component?.report?.directives?.relayServer;
  if (!isKnown(will) || will === "none" || was === will) return [];
  return [
    risk(
      "relay-spf",
      "medium",
      "Mail of the domain leaves to the world from the Relay Server. The SPF record must authorise it, and this project does not add that.",
      "See that the record has the term that the Relay Server's operator names.",
    ),
  ];
};

const changedByOthers: Finder = ({ domain }) =>
  isDrifted(domain)
    ? [
        risk(
          "changed-by-others",
          "medium",
          "Somebody else has changed a record or the route since the last run; this run changes it back.",
          "Find out who, and why, before you merge.",
        ),
      ]
    : [];

const dnsByHand: Finder = ({ domain, kinds }) => {
  const { dns } = (domain.new.component ?? domain.old.component)?.report ?? {};
  if (dns !== "manual" || kinds[0] === "unchanged") return [];
  const touched = domain.parts.some((each) => isTouched(each) && each.part !== "route");
  if (!touched) return [];
  return [
    risk(
      "dns-by-hand",
      "low",
      "A person changes the DNS records (dns: manual): the run stops with an error at each change that is needed.",
      "Have somebody at hand who can change them, and run again after each.",
    ),
  ];
};

const replaced: Finder = ({ domain }) => {
  const parts = domain.parts.filter(({ op }) => op.includes("replace")).map(({ part }) => part);
  if (parts.length === 0) return [];
  return [
    risk(
      "replaced",
      "high",
      `Pulumi would make the ${[...new Set(parts)].join(", ")} of the domain anew and delete the former one.`,
      "This should not happen to a domain that stays: do not merge before you know why.",
    ),
  ];
};

/** Where whoever runs the gateway keeps its routes, no note says it. */
const noRcptLookup: Finder = (world) => {
  const { directives, inbound } = world.domain.new.component?.report ?? {};
  const isOff = directives?.rcptLookup === "off" && inbound === "border";
  const isSaid = notesOf(world.domain.said).some(({ id }) => id === "no-rcpt-lookup");
  const isNow = comesIn(world) || hasBecomeOff(world);
  if (!isOff || isSaid || !isNow) return [];
  const text = `Without Rcpt Lookup the gateway accepts mail for users that ${displayNameOf(world.domain)} does not have, and bounces it to senders that are often forged.`;
  return [noteRisk("no-rcpt-lookup", text)];
};

function hasBecomeOff({ domain }: RiskWorld): boolean {
  const was = domain.old.component?.report?.directives?.rcptLookup;
  return was !== undefined && was !== "off";
}

const FINDERS: readonly Finder[] = [
  ...SAID_FINDERS,
  replaced,
  mailRefused,
  onWord,
  connectorLocked,
  serverNotChanged,
  senderRefused,
  outboundOnWord,
  spfBudget,
  longTtl,
  noRcptLookup,
  formerStale,
  relaySpf,
  changedByOthers,
  dnsByHand,
];
