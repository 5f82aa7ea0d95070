/**
 * What must hold before a domain's MX may be pointed at the gateway, by what public DNS shows, wherever
 * the domain's zone is. Refused is what would lose mail.
 */
import { MailRuleError } from "../mail/errors.ts";
import { findLoop } from "../mail/loop.ts";
import { recogniseMailSystem, recommendServer } from "../mail/mail-system.ts";
import type { MxWorld } from "../mail/mx-goal.ts";
import { formatNote } from "../mail/preview-note.ts";
import { unanswered } from "./dns.ts";
import { refuseLostSenders, type SendingWorld } from "./lost-senders.ts";
import { refuseNotAdmitted } from "./mta-sts.ts";
import type { MxTakeoverInputs as Inputs } from "./mx-takeover-schema.ts";
import type { PublicDomain } from "./public-domain.ts";
import type { Call } from "./resource.ts";

/**
 * Refuses a domain that senders cannot look up, and a Server that leads back to the gateway: also where
 * the MX have moved already.
 *
 * @throws MailRuleError `dns-servfail`, `dns-timeout`, and the codes of `findLoop`
 */
export async function refuseBrokenPath(live: PublicDomain, inputs: Inputs): Promise<void> {
  await refuseBrokenDns(live);
  await refuseLoop(live, inputs);
}

/**
 * Refuses what would lose mail once the MX move.
 *
 * @throws MailRuleError `inactive-takeover`, `gateway-host-without-address`, `spf-relies-on-mx`, and as `refuseNotAdmitted`
 */
export async function refuseUnsafeMove(
  live: PublicDomain,
  world: SendingWorld,
  inputs: Inputs,
  call: Call,
): Promise<void> {
  if (world.journal?.phase !== "held") refuseInactive(inputs);
  await refuseMissingHosts(live, inputs);
  const exchanges = inputs.mx.map(({ exchange }) => exchange);
  await refuseNotAdmitted(live.resolver, inputs.domain, exchanges);
  await refuseLostSenders(live, world, inputs, call);
}

function refuseInactive({ domain, inactive }: Inputs): void {
  if (!inactive) return;
  throw new MailRuleError({
    code: "inactive-takeover",
    where: `MX of ${domain}`,
    value: domain,
    problem:
      "The domain is inactive at the gateway, which would refuse its mail, and its MX do not point there.",
    fix: "Take inactive away first, or write bypass: true.",
  });
}

/** A validating resolver answers SERVFAIL: senders see it too, and nothing that we write would be seen. */
async function refuseBrokenDns({ resolver, domain }: PublicDomain): Promise<void> {
  const { status } = await resolver(domain, "MX");
  if (status === "servfail" || status === "timeout") throw unanswered(domain, "MX", status);
}

/** An MX whose host has no address takes no mail (RFC 5321, section 5.1). */
async function refuseMissingHosts(
  { resolver, domain }: PublicDomain,
  { mx }: Inputs,
): Promise<void> {
  for (const { exchange } of mx) {
    const answers = await Promise.all([resolver(exchange, "A"), resolver(exchange, "AAAA")]);
    const failed = answers.find(({ status }) => status === "servfail" || status === "timeout");
    if (answers.some(({ status }) => status === "ok")) continue;
    if (failed !== undefined) throw unanswered(exchange, "A", failed.status);
    throw new MailRuleError({
      code: "gateway-host-without-address",
      where: `MX of ${domain}`,
      problem: `The gateway's host ${exchange} has no address in DNS, so no sender could deliver to it.`,
      fix: "Correct mail:gateway, or give the host its address first.",
      value: exchange,
    });
  }
}

async function refuseLoop({ resolver, domain }: PublicDomain, inputs: Inputs): Promise<void> {
  const loop = await findLoop({
    server: inputs.server,
    gatewayHosts: inputs.mx.map(({ exchange }) => exchange),
    takenOverDomains: [domain],
    mxLookup: inputs.mxLookup,
    resolver,
  });
  if (loop === undefined) return;
  throw new MailRuleError({
    code: loop.code,
    where: `Server of ${domain}`,
    problem: loop.description,
    fix: "Give the host that finally receives the domain's mail; it is never the gateway.",
    value: inputs.server,
  });
}

/** For a preview: the Server that the mail system behind the present MX recommends, where it is another. */
export function hintAtServer({ domain, present }: MxWorld, inputs: Inputs, call: Call): void {
  const gatewayHosts = inputs.mx.map(({ exchange }) => exchange);
  const { system, name, role } = recogniseMailSystem(present, gatewayHosts);
  if (role !== "mailboxes") return;
  const { server } = recommendServer(system, domain, present, gatewayHosts);
  if (server === undefined || server === inputs.server) return;
  const text = `Server of ${domain} is ${inputs.server}; the present MX belong to ${name}, which recommends ${server}.`;
  call.info(formatNote("server-not-recommended", text));
}
