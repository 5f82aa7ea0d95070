/**
 * Tries a proposed route once: real SMTP to its Server and its Relay Server, from the addresses that mail
 * will come from. Nothing is sent: each dialogue ends after RCPT.
 */
import { parseIpAddress, specialAddress } from "../../mail/address-scope.ts";
import type { ProofStep, Route, RouteProof } from "../../mail/route.ts";
import { judgeFailure, PROOF_FAULTS, type ProofCode } from "../../mail/route-proof.ts";
import { SmtpFailure } from "../../smtp/dialogue.ts";
import { findNextHops, type NextHop, NextHopError, normalAddress } from "./next-hops.ts";
import { type Party, ProofEnd, type Prover, partiesOf } from "./proof-party.ts";
import { Talk } from "./proof-talk.ts";

/** What one attempt found. */
export type ProofOutcome = Pick<RouteProof, "verdict" | "steps" | "code">;

/** Never throws. */
export async function proveRoute(route: Route, prover: Prover): Promise<ProofOutcome> {
  const steps: ProofStep[] = [];
  try {
    for (const party of await partiesOf(route, prover, steps))
      await proveParty(party, prover, steps);
    return { verdict: "proven", steps };
  } catch (error) {
    if (!(error instanceof ProofEnd)) {
      steps.push({ action: "prove the route", outcome: String(error) });
      return { verdict: "trying", steps, code: "proof-aborted" };
    }
    const { verdict, code } = error.finding;
    return { verdict, steps, code };
  }
}

/** Tries the hosts in turn, as Postfix does: the first one that decides ends it. */
async function proveParty(party: Party, prover: Prover, steps: ProofStep[]): Promise<void> {
  let last: ProofEnd | undefined;
  for (const hop of await hopsOf(party, prover, steps)) {
    try {
      await proveHop(hop, party, prover, steps);
      return;
    } catch (error) {
      if (!(error instanceof ProofEnd) || error.finding.verdict === "failed") throw error;
      last = error;
    }
  }
  if (last !== undefined) throw last;
}

async function hopsOf(party: Party, prover: Prover, steps: ProofStep[]): Promise<NextHop[]> {
  const action = `look up ${party.host}${party.mxLookup ? " (MX)" : ""}`;
  try {
    const hops = await findNextHops(party.host, party.mxLookup);
    const own = new Set((await prover.fleetAddresses()).map(normalAddress));
    for (const { host, address } of hops)
      checkAddress(`${action}: ${host}`, address, own, prover, steps);
    return hops;
  } catch (error) {
    if (!(error instanceof NextHopError)) throw error;
    steps.push({ action, outcome: error.message });
    throw new ProofEnd({ verdict: "trying", code: error.code });
  }
}

function checkAddress(
  action: string,
  address: string,
  own: ReadonlySet<string>,
  { nextHops }: Prover,
  steps: ProofStep[],
): void {
  const end = (code: ProofCode, outcome: string) => {
    steps.push({ action, outcome });
    return new ProofEnd({ verdict: "failed", code });
  };
  if (own.has(normalAddress(address))) {
    throw end("proof-host-is-gateway", `${address} is an address of the gateway itself`);
  }
  const parsed = parseIpAddress(address);
  const objection = parsed && specialAddress(parsed, nextHops);
  if (objection !== undefined) throw end("proof-address-not-public", `${address} is ${objection}`);
}

async function proveHop(
  { host, address }: NextHop,
  party: Party,
  prover: Prover,
  steps: ProofStep[],
): Promise<void> {
  const talk = new Talk(party, host, prover, steps);
  try {
    using dialogue = await talk.connect(address);
    const extensions = await talk.secure(dialogue, await talk.greet(dialogue));
    if (party.login !== undefined) await talk.login(dialogue, extensions, party.login);
    await talk.envelope(dialogue);
  } catch (error) {
    if (!(error instanceof SmtpFailure)) throw error;
    const finding = judgeFailure(error.kind, party.port);
    steps.push({
      action: talk.action,
      outcome: `${error.message}. ${PROOF_FAULTS[finding.code].problem}`,
    });
    throw new ProofEnd(finding);
  }
}
