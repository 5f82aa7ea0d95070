/** Facts of a domain for tests: one gateway whose routes this project keeps, and the hosted one. */
import type { GatewayFacts, StepFacts } from "../index.ts";

export const OWN_GATEWAY: GatewayFacts = {
  smtpIn: "smtp-in.gateway.example",
  smtpRelay: "smtp-relay.gateway.example",
  mx: ["smtp-in.gateway.example"],
  deliversFrom: ["203.0.113.7", "203.0.113.9"],
  relaysFrom: ["203.0.113.8", "203.0.113.10"],
  isHosted: false,
  formerNames: ["gmail-out.mxhero.com", "gmail.mxhero.com", "smtp.mxhero.com"],
};

const EGRESS = ["54.208.111.28", "54.236.184.32"];

/** With two of its addresses. */
export const HOSTED_GATEWAY: GatewayFacts = {
  ...OWN_GATEWAY,
  smtpIn: "smtp-in.mxhero.com",
  smtpRelay: "smtp-relay.mxhero.com",
  mx: ["smtp-in.mxhero.com"],
  deliversFrom: EGRESS,
  relaysFrom: EGRESS,
  isHosted: true,
};

/** Given by its host names, its addresses unknown. */
export const UNKNOWN_GATEWAY: GatewayFacts = {
  ...OWN_GATEWAY,
  deliversFrom: [],
  relaysFrom: [],
  isHosted: true,
};

export const FACTS: StepFacts = {
  domain: "contoso.example",
  mailSystem: "other",
  server: "mail.contoso.example",
  mxLookup: false,
  rcptLookup: "probe",
  inbound: "border",
  outbound: "standard",
  relayServer: undefined,
  gateway: OWN_GATEWAY,
  sendingFrom: ["192.0.2.7"],
  probeRecipient: "info@contoso.example",
  neighbours: [],
};
