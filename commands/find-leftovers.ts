/**
 * What a killed run left behind, decided from a domain's zone and the stack's state. No I/O.
 *
 * A resource is there when the journal has its claim and the state has it too. A claim without a
 * resource is the case that the engine cannot see: a destroy says that all was deleted, and the gateway
 * keeps the domain.
 */

import type { MxRecord } from "../mail/dns.ts";
import { MailRuleError } from "../mail/errors.ts";
import {
  type Claim,
  formatClaim,
  type Journal,
  type MxJournal,
  parseClaim,
} from "../mail/journal.ts";
import { formatMxSet, includesAllMx, sortByHolder, type ZoneMx } from "../mail/mx.ts";
import type { RouteRecord } from "../mail/route.ts";
import { fingerprint } from "../provider/claims.ts";
import type {
  PendingOperation,
  StackState,
  StoredRoute,
  StoredSpfInclude,
  StoredTakeover,
} from "./stack.ts";

/**
 * - `adopt`: something is in the zone of which the state knows nothing. Only `pulumi up` brings it in.
 * - `compare`: the state is not what the zone is. `pulumi up` must read the zone first.
 * - `up`: `pulumi up` goes on by itself.
 * - `person`: no command mends it; the text says what does.
 */
export type Need = "adopt" | "compare" | "up" | "person";

export interface Finding {
  /** Stable, documented in docs/refusals.md. */
  readonly code: string;
  readonly text: string;
  readonly need: Need;
}

/** All that is known of one domain. */
export interface DomainEvidence {
  readonly domain: string;
  /** Whether the stack's file has it. */
  readonly inFile: boolean;
  /** The stack file's; absent where it could not be read. */
  readonly organisation: string | undefined;
  /** The gateway's MX by the stack's file. */
  readonly gatewayMx: readonly MxRecord[];
  readonly presentMx: readonly ZoneMx[];
  /** The error where its records do not make one. */
  readonly journal: Journal | MailRuleError;
  readonly takeovers: readonly StoredTakeover[];
  readonly spfIncludes: readonly StoredSpfInclude[];
  readonly routes: readonly StoredRoute[];
  /** What the gateway's route store has of it; `undefined`: nothing, or the gateway has no such store. */
  readonly record: RouteRecord | undefined;
  /** What another gateway has of it, to which the stack's file moves the domain. */
  readonly nextRecord?: RouteRecord | undefined;
  /** Those of the whole stack. */
  readonly pending: readonly PendingOperation[];
}

/** What is left behind at one domain; empty where nothing is. */
export function findAtDomain(evidence: DomainEvidence): Finding[] {
  const { journal } = evidence;
  if (journal instanceof MailRuleError) {
    return [{ code: journal.code, text: journal.message, need: "person" }];
  }
  const stored = [...evidence.takeovers, ...evidence.spfIncludes, ...evidence.routes];
  const spf = journal.spf.map(({ holder, claim, terms }) => ({ holder, claims: [claim], terms }));
  return [
    ...unfinished(stored),
    ...(journal.mx ? atMxJournal(evidence, journal.mx) : withoutMxJournal(evidence)),
    ...spf.flatMap(({ holder, claims, terms }) => {
      const what = `the SPF terms ${terms.join(" ")}`;
      return claimsWithoutResource(evidence, { holder, claims, what, kind: "spf" });
    }),
    ...evidence.spfIncludes.flatMap((include) => lostSpfClaim(journal, include)),
    ...atRoute(evidence),
  ];
}

/** The same for a domain whose records a person changes: it has no journal in DNS, only the state. */
export function findAtManualDomain(evidence: Omit<DomainEvidence, "journal">): Finding[] {
  const { takeovers, spfIncludes, routes, presentMx, gatewayMx } = evidence;
  const { ours, theirs } = sortByHolder(presentMx, gatewayMx);
  const isStray = takeovers.length === 0 && ours.length > 0;
  return [
    ...unfinished([...takeovers, ...spfIncludes, ...routes]),
    ...(isStray ? [strayMx(ours, theirs)] : []),
    ...atRoute(evidence),
  ];
}

/** What the state itself shows: a lock, and calls whose end nobody knows. */
export function findInState({ pending, written }: StackState, locks: readonly string[]): Finding[] {
  const findings: Finding[] = locks.map((holder) => ({
    code: "stack-locked",
    text: `The stack is locked (${holder}): a run is under way, or was killed. Wait for it, or make sure that it is dead.`,
    need: "up",
  }));
  const since = written === undefined ? "" : `, the state was last written at ${written}`;
  for (const { type, urn } of pending) {
    const name = urn.split("::").at(-1);
    findings.push({
      code: "operation-pending",
      text: `A run ended while it was ${type} ${name}${since}.`,
      need: type === "creating" ? "up" : "compare",
    });
  }
  return findings;
}

function unfinished(
  stored: readonly (StoredTakeover | StoredSpfInclude | StoredRoute)[],
): Finding[] {
  return stored
    .filter(({ initErrors }) => initErrors.length > 0)
    .map(({ initErrors }) => ({
      code: "resource-unfinished",
      text: `The state has it as unfinished: ${initErrors.join("; ")}`,
      need: "up",
    }));
}

function atMxJournal(evidence: DomainEvidence, journal: MxJournal): Finding[] {
  const { takeovers, presentMx, gatewayMx } = evidence;
  const { holder, claims, phase, former } = journal;
  const what = `the MX (phase ${phase}; to put back: ${formatMxSet(former)}; now: ${formatMxSet(presentMx)})`;
  const findings = claimsWithoutResource(evidence, { holder, claims, what, kind: "mx" });
  for (const { outputs } of takeovers) {
    if (!hasClaim(claims, outputs.claim)) {
      findings.push(claimLost("MX", claims, outputs.claim));
      continue;
    }
    const { stale } = sortByHolder(presentMx, outputs.mx, gatewayMx);
    const halfWay = phase === "taking" || phase === "returning";
    if (!halfWay && stale.length === 0 && (phase === "bypassed") === outputs.bypass) continue;
    findings.push({
      code: "takeover-half-way",
      text: `The MX are half-way, or further than the state knows (phase ${phase}; now: ${formatMxSet(presentMx)}; to put back: ${formatMxSet(former)}).`,
      need: "compare",
    });
  }
  return findings;
}

function withoutMxJournal({ takeovers, presentMx, gatewayMx }: DomainEvidence): Finding[] {
  const known = takeovers.flatMap(({ outputs }) => outputs.mx);
  const { ours, stale, theirs } = sortByHolder(presentMx, gatewayMx, known);
  const gateways = [...ours, ...stale];
  if (takeovers.length === 0) return gateways.length === 0 ? [] : [strayMx(gateways, theirs)];
  return takeovers.flatMap(({ outputs: { before, bypass, journal } }): Finding[] => {
    if (gateways.length > 0 && !includesAllMx(before, gateways)) {
      return [
        {
          code: "journal-missing",
          text: `The gateway's MX stand, and the journal in DNS is gone. The state still knows what to put back (${formatMxSet(before)}): keep it. A destroy uses it; to have the journal written again, change overlapSeconds of the domain and run pulumi up.`,
          need: "person",
        },
      ];
    }
    if (bypass && journal.revision === 0) return [];
    return [alreadyReturned(`The MX are those of before (${formatMxSet(presentMx)})`)];
  });
}

function strayMx(gateways: readonly ZoneMx[], theirs: readonly ZoneMx[]): Finding {
  const found = `The gateway's MX stand (${formatMxSet(gateways)}), and neither the journal nor the state says what was before.`;
  const code = "gateway-mx-without-journal";
  if (theirs.length > 0) {
    const text = `${found} A takeover would journal what stands beside them (${formatMxSet(theirs)}) as what was before.`;
    return { code, text, need: "adopt" };
  }
  const text = `${found} Write the MX of the mail system as handBackTo of the domain into the stack's file first; pulumi up then adopts the gateway's.`;
  return { code, text, need: "adopt" };
}

/** The claims on a route that was not given up. One that was leaves by itself. */
function atRoute(evidence: Omit<DomainEvidence, "journal">): Finding[] {
  return [...atPresentGateway(evidence), ...atNextGateway(evidence)];
}

/** The state names a gateway only once the whole move to it was seen. */
function atNextGateway({ nextRecord, routes }: Omit<DomainEvidence, "journal">): Finding[] {
  if (!isHeld(nextRecord)) return [];
  const claims = nextRecord.holder.claims.map(parseClaim);
  if (!routes.some(({ outputs }) => hasClaim(claims, outputs.claim))) return [];
  const text = `A run was killed while it moved the domain to another gateway: that one holds it (claim ${nextRecord.holder.claims.join(", ")}), and the state does not know. A destroy now would leave it held there.`;
  return [{ code: "move-half-way", text, need: "adopt" }];
}

function isHeld(record: RouteRecord | undefined): record is RouteRecord {
  if (record === undefined) return false;
  return record.leaving === undefined || record.proposed !== undefined;
}

function atPresentGateway(evidence: Omit<DomainEvidence, "journal">): Finding[] {
  const { record, routes } = evidence;
  if (!isHeld(record)) {
    return routes.map(() => alreadyReturned("The gateway has no route of the domain any more"));
  }
  const { organisation: holder } = record.holder;
  const claims = record.holder.claims.map(parseClaim);
  const what = "the route at the gateway";
  return [
    ...claimsWithoutResource(evidence, { holder, claims, what, kind: "route" }),
    ...routes
      .filter(({ outputs }) => !hasClaim(claims, outputs.claim))
      .map(({ outputs }) => claimLost("route", claims, outputs.claim)),
  ];
}

interface Claims {
  readonly kind: "mx" | "spf" | "route";
  readonly holder: string;
  readonly claims: readonly Claim[];
  /** What the journal says of them, in words. */
  readonly what: string;
}

function claimsWithoutResource(
  evidence: Omit<DomainEvidence, "journal">,
  { kind, holder, claims, what }: Claims,
): Finding[] {
  const { domain, organisation, takeovers, spfIncludes, routes, inFile, pending } = evidence;
  const stored = { mx: takeovers, spf: spfIncludes, route: routes }[kind];
  const known = stored.map(({ outputs }) => outputs.claim);
  const unknown = claims.filter((claim) => !known.includes(formatClaim(claim)));
  if (unknown.length === 0 || isOlderState(unknown, known)) return [];
  const names = unknown.map(formatClaim).join(", ");
  if (organisation !== undefined && holder !== organisation) {
    const text = `The organisation "${holder}" holds ${what}: claim ${names}. It is not this stack's to mend; let "${holder}" hand the domain back.`;
    return [{ code: "other-holder", text, need: "person" }];
  }
  if (stored.length > 0) {
    const text = `Another resource claims ${what}, too: ${names}. A destroy here leaves the domain to it. If another stack has the domain, look there; keep it in one stack only.`;
    return [{ code: "claimed-twice", text, need: "person" }];
  }
  const begun = pending.some(({ urn }) =>
    unknown.some((claim) => claim.resource === fingerprint(urn)),
  );
  const why = begun
    ? "A run of this stack was killed while it created it."
    : "A run was killed, or another stack has the domain: then look there.";
  const entry = inFile ? "" : ` First write ${domain} into the stack's file again.`;
  const source = kind === "route" ? "route store" : "journal";
  const text = `The ${source} claims ${what}: ${names}, and the state has no resource for it. ${why}${entry}`;
  return [{ code: "claim-without-resource", text, need: "adopt" }];
}

function hasClaim(claims: readonly Claim[], claim: string): boolean {
  return claims.some((other) => formatClaim(other) === claim);
}

/** The state knows the resources, but an earlier generation of them. */
function isOlderState(claims: readonly Claim[], known: readonly string[]): boolean {
  const resources = known.map((text) => parseClaim(text).resource);
  return claims.every(({ resource }) => resources.includes(resource));
}

function claimLost(what: string, claims: readonly Claim[], claim: string): Finding {
  const names = claims.map(formatClaim).join(", ");
  const older = claims.some(({ resource }) => resource === parseClaim(claim).resource);
  const why = older
    ? "The state is older than the zone, perhaps restored from a copy: find the newer one."
    : "Another resource has taken it over: keep the domain in one stack only.";
  const text = `The state's claim on the ${what} (${claim}) is gone; those that stand are ${names}. ${why} A destroy here changes nothing of it.`;
  return { code: "claim-lost", text, need: "person" };
}

function lostSpfClaim({ spf }: Journal, { outputs }: StoredSpfInclude): Finding[] {
  const claims = spf.map(({ claim }) => claim);
  if (hasClaim(claims, outputs.claim)) return [];
  if (claims.length > 0) return [claimLost("SPF record", claims, outputs.claim)];
  return [alreadyReturned("The SPF terms were taken out, or their claim was")];
}

function alreadyReturned(what: string): Finding {
  const text = `${what}, and the state still has the resource: a destroy was killed after its last write, or someone else did it.`;
  return { code: "already-returned", text, need: "compare" };
}
