/** Whom a proof of a route tries: the Server and the Relay Server, with what is said to each. */
import { randomBytes } from "node:crypto";
import type { NextHops } from "../../mail/address-scope.ts";
import {
  type ProofStep,
  type RelayServer,
  type Route,
  SMTP_PORT,
  type TlsLevel,
} from "../../mail/route.ts";
import type { ProofFinding } from "../../mail/route-proof.ts";
import { errorText } from "./faults.ts";

/** From where a slot proves routes, and what it may use. */
export interface Prover {
  readonly inbound: ProverSide;
  readonly relay: ProverSide;
  /** All addresses of the fleet: a host that has one of them is the gateway itself. */
  fleetAddresses(): Promise<readonly string[]>;
  /** Which addresses the hosts may have. */
  readonly nextHops: NextHops;
  /** PEM of the authorities that Postfix trusts. */
  readonly authorities: string;
  /** The value of a secret. */
  readSecret(name: string): Promise<string>;
  readonly connectMilliseconds: number;
  readonly replyMilliseconds: number;
}

/** As which host, and from which address, an instance of Postfix speaks to others. */
export interface ProverSide {
  readonly name: string;
  readonly address: string;
}

/** One party of the route that is tried. */
export interface Party {
  readonly host: string;
  readonly mxLookup: boolean;
  readonly port: number;
  readonly tls: TlsLevel;
  readonly login?: { readonly user: string; readonly password: string };
  readonly from: ProverSide;
  readonly sender: string;
  readonly recipient: string;
  /** A recipient that cannot exist, and whether it must be refused. */
  readonly unknownRecipient?: { readonly address: string; readonly mustBeRefused: boolean };
}

/** Ends a proof. */
export class ProofEnd extends Error {
  readonly finding: ProofFinding;

  constructor(finding: ProofFinding) {
    super(finding.code);
    this.finding = finding;
  }
}

/** @throws ProofEnd if a password cannot be read */
export async function partiesOf(
  route: Route,
  prover: Prover,
  steps: ProofStep[],
): Promise<Party[]> {
  const { server, mxLookup, probeRecipient: recipient, outbound, relayServer } = route;
  const toServer = {
    host: server,
    mxLookup,
    port: SMTP_PORT,
    tls: "opportunistic",
    recipient,
  } as const;
  const parties: Party[] = [];
  if (route.inbound) {
    const unknown = `no-such-user-${randomBytes(8).toString("hex")}@${route.domain}`;
    parties.push({
      ...toServer,
      from: prover.inbound,
      // As Postfix probes for recipients (`address_verify_sender`).
      sender: `double-bounce@${prover.inbound.name}`,
      unknownRecipient: {
        address: unknown,
        mustBeRefused: route.rcptLookup.kind === "probe",
      },
    });
  }
  const fromRelay = { from: prover.relay, sender: recipient };
  if (outbound === "loopback") parties.push({ ...toServer, ...fromRelay });
  if (outbound === "standard" && relayServer !== undefined) {
    parties.push({
      ...fromRelay,
      ...(await relayParty(relayServer, prover, steps)),
      recipient,
    });
  }
  return parties;
}

async function relayParty(
  { host, port, tls, login }: RelayServer,
  prover: Prover,
  steps: ProofStep[],
): Promise<Pick<Party, "host" | "port" | "tls" | "mxLookup" | "login">> {
  const party = { host, port, tls, mxLookup: false };
  if (login === undefined) return party;
  try {
    return {
      ...party,
      login: { user: login.user, password: await prover.readSecret(login.secret) },
    };
  } catch (error) {
    // The secret's name is no secret.
    steps.push({ action: `read the secret ${login.secret}`, outcome: errorText(error) });
    throw new ProofEnd({ verdict: "trying", code: "proof-secret-unreadable" });
  }
}
