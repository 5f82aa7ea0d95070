/** All checks of one domain, in the order of `CHECK_IDS`. */
import { checkChanges } from "./change-checks.ts";
import { CHECK_IDS, type Check, wrong } from "./check.ts";
import {
  checkJournal,
  checkMx,
  checkMxAround,
  checkNameServers,
  checkOldMx,
  checkSubdomainMx,
} from "./dns-checks.ts";
import type { DomainEvidence } from "./evidence.ts";
import { checkAcknowledged, checkProven, checkRoute } from "./gateway-checks.ts";
import {
  checkBypass,
  checkInactive,
  checkInbound,
  checkMoving,
  checkOutbound,
} from "./mail-checks.ts";
import { checkLoop, checkMtaSts, checkRcpt } from "./path-checks.ts";
import { checkSecondSpf, checkSpf, checkSpfBudget } from "./spf-checks.ts";

type DomainCheck = (evidence: DomainEvidence) => readonly Check[];

/** Of a domain that the stack holds. */
const CHECKS: readonly DomainCheck[] = [
  checkBypass,
  checkInactive,
  checkMoving,
  checkNameServers,
  checkMx,
  checkOldMx,
  checkMxAround,
  checkSubdomainMx,
  checkJournal,
  checkSpf,
  checkSecondSpf,
  checkSpfBudget,
  checkChanges,
  checkMtaSts,
  checkLoop,
  checkRoute,
  checkAcknowledged,
  checkProven,
  checkRcpt,
  checkInbound,
  checkOutbound,
];

/** Of a domain that it does not hold, or not any more. */
const CHECKS_WITHOUT_RESOURCES: readonly DomainCheck[] = [checkInactive, checkOutbound];

/** @param stateChecks whether journal and route store agree with the state, as `find-leftovers` judges it */
export function verifyDomain(
  evidence: DomainEvidence,
  stateChecks: readonly Check[],
): readonly Check[] {
  const { inFile, takeover, spfTerms, route } = evidence;
  const isHeld = takeover !== undefined || spfTerms !== undefined || route !== undefined;
  const checks = isHeld ? CHECKS : CHECKS_WITHOUT_RESOURCES;
  const found = [
    ...checkOnboarded(inFile, isHeld),
    ...stateChecks,
    ...checks.flatMap((check) => check(evidence)),
  ];
  return found.toSorted((a, b) => CHECK_IDS.indexOf(a.id) - CHECK_IDS.indexOf(b.id));
}

/** The file and the state name the same domains. */
function checkOnboarded(inFile: boolean | undefined, isHeld: boolean): readonly Check[] {
  if (inFile === true && !isHeld) {
    const text = "The stack's file has the domain, and the state has nothing of it.";
    return [wrong("onboarded", text, "Run pulumi up, or delete the domain's entry.")];
  }
  if (inFile !== false || !isHeld) return [];
  const text = "The domain is not in the stack's file any more, and still on the gateway.";
  return [wrong("onboarded", text, "Run pulumi up to let it leave, or write its entry again.")];
}
