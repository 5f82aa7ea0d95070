/** What the steps of a domain are made from. All of it is checked already, and none of it is a secret. */
import type { MxRecord } from "../dns.ts";

export interface StepFacts {
  /** In A-labels. */
  readonly domain: string;
  readonly mailSystem: "microsoft365" | "google" | "exchange" | "other";
  /** A host name or an address. */
  readonly server: string;
  readonly mxLookup: boolean;
  readonly rcptLookup: "off" | "probe" | "list";
  readonly inbound: "border" | "loopback" | "none";
  readonly outbound: "standard" | "loopback" | "none";
  readonly relayServer: { readonly host: string; readonly port: number } | undefined;
  readonly gateway: GatewayFacts;
  /** By what the gateway knows who sends, in words; empty where the gateway is given by its host names. */
  readonly sendingFrom: readonly string[];
  /** A mailbox of the domain that exists, where one is known. */
  readonly probeRecipient: string | undefined;
  /** What the domain's records get, where a person changes them (`dns: manual`). */
  readonly byHand?:
    | { readonly mx: readonly MxRecord[]; readonly spfTerms: readonly string[] }
    | undefined;
  /** The organisation's other domains in the same kind of mail system, which share its connectors. */
  readonly neighbours: readonly Neighbour[];
}

export interface GatewayFacts {
  readonly smtpIn: string;
  readonly smtpRelay: string;
  /** The MX hosts. */
  readonly mx: readonly string[];
  /** The IPv4 addresses from which it delivers inbound mail; empty where they are not known. */
  readonly deliversFrom: readonly string[];
  /** The IPv4 addresses from which it sends outbound mail; empty where they are not known. */
  readonly relaysFrom: readonly string[];
  /** Whether its routes are kept by its own dashboard, not by this project. */
  readonly isHosted: boolean;
  /** Outbound endpoints of former days that may still stand in a mail system's settings. */
  readonly formerNames: readonly string[];
}

export interface Neighbour {
  readonly domain: string;
  readonly inbound: StepFacts["inbound"];
  readonly outbound: StepFacts["outbound"];
}

/** Whether the mail system must take mail from the gateway. */
export function takesFromGateway({ inbound, outbound }: StepFacts): boolean {
  return inbound !== "none" || outbound === "loopback";
}

/**
 * Whether the mail system sends through a host of the organisation's own. The tenants of Microsoft 365 and of
 * Google share their addresses, so that a gateway whose routes this project keeps cannot tell them apart.
 */
export function sendsThroughOwnHost({ mailSystem, gateway }: StepFacts): boolean {
  return !gateway.isHosted && (mailSystem === "microsoft365" || mailSystem === "google");
}

/** The addresses from which the mail system is handed the domain's mail, each once. */
export function acceptedAddresses({ inbound, outbound, gateway }: StepFacts): string[] {
  return [
    ...new Set([
      ...(inbound === "none" ? [] : gateway.deliversFrom),
      ...(outbound === "loopback" ? gateway.relaysFrom : []),
    ]),
  ];
}
