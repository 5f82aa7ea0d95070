/** What must hold before a domain's MX may be pointed at the gateway. Refused is what would lose mail. */
import { MailRuleError } from "../mail/errors.ts";
import { findLoop } from "../mail/loop.ts";
import { recogniseMailSystem, recommendServer } from "../mail/mail-system.ts";
import { formatMxSet, includesAllMx, sameMxSet, sortByHolder } from "../mail/mx.ts";
import type { MxWorld } from "../mail/mx-goal.ts";
import { findLostSenders, insertTerms, selectSpf, suggestReplacements } from "../mail/spf/index.ts";
import { unanswered } from "./dns.ts";
import { refuseHiddenWildcard } from "./hidden-wildcard.ts";
import {
  type LiveDomain,
  readTexts,
  refuseUnwritable,
  servedMx,
  type View,
} from "./live-domain.ts";
import { refuseNotAdmitted } from "./mta-sts.ts";
import type { MxTakeoverInputs as Inputs } from "./mx-takeover-schema.ts";
import type { Call } from "./resource.ts";
import { untilServed } from "./wait.ts";

/** @throws MailRuleError with the reason and the way on */
export async function refuseTakeover(
  live: LiveDomain,
  view: View,
  world: MxWorld,
  inputs: Inputs,
  call: Call,
): Promise<void> {
  refuseUnwritable(inputs.domain, view);
  await refuseBrokenDns(live);
  await refuseLoop(live, inputs);
  if (includesAllMx(world.present, inputs.mx)) return;
  refuseInactive(inputs);
  await refuseMissingHosts(live, inputs);
  // Inherited MX are copied; nothing else is.
  await refuseHiddenWildcard(live, view, ["A", "AAAA", "CNAME", "TXT"]);
  await refuseNotAdmitted(
    live.resolver,
    inputs.domain,
    inputs.mx.map(({ exchange }) => exchange),
  );
  await refuseLostSenders(live, view, world, inputs, call);
  if (world.journal === undefined) await refuseOtherZone(live, world, call);
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
async function refuseBrokenDns({ resolver, domain }: LiveDomain): Promise<void> {
  const { status } = await resolver(domain, "MX");
  if (status === "servfail" || status === "timeout") throw unanswered(domain, "MX", status);
}

/** An MX whose host has no address takes no mail (RFC 5321, section 5.1). */
async function refuseMissingHosts({ resolver, domain }: LiveDomain, { mx }: Inputs): Promise<void> {
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

async function refuseLoop({ resolver, domain }: LiveDomain, inputs: Inputs): Promise<void> {
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

/** Where SPF relies on `mx`, moving the MX takes the old hosts' right to send away. */
async function refuseLostSenders(
  { resolver, domain }: LiveDomain,
  view: View,
  { present }: MxWorld,
  { mx, spfTerms }: Inputs,
  call: Call,
): Promise<void> {
  const spf = selectSpf(readTexts(view).map(({ content }) => content));
  if (spf.status !== "one") return;
  const { record } = spf;
  const nextRecord = insertTerms(record, spfTerms ?? []);
  const formerMx = sortByHolder(present, mx).theirs;
  const lost = await findLostSenders({
    domain,
    record,
    nextRecord,
    formerMx,
    nextMx: mx,
    resolver,
  });
  if (lost.length === 0) return;
  const names = lost.map(({ exchange, address }) => `${exchange} (${address})`).join(", ");
  if (spfTerms !== undefined) {
    call.warn(`Accepted: ${names} may no longer send for ${domain} once its MX have moved.`);
    return;
  }
  throw new MailRuleError({
    code: "spf-relies-on-mx",
    where: `SPF of ${domain}`,
    problem: `The record "${record}" authorises the MX hosts; once the MX have moved, ${names} may no longer send.`,
    fix: `Set spf.replaceMx of the domain to the terms that take their place, for instance [${suggestReplacements(lost).join(", ")}], or to [] if nobody sends from there.`,
    value: record,
  });
}

/**
 * The name servers that the public asks must answer what Cloudflare's API says; otherwise the zone is
 * not the live one, and a "no MX" is not proven.
 */
async function refuseOtherZone(live: LiveDomain, world: MxWorld, call: Call): Promise<void> {
  const stands = world.inherited?.mx ?? world.present;
  const set = formatMxSet(stands);
  const agrees = (answer: Parameters<typeof servedMx>[0]) => {
    const served = servedMx(answer);
    return served !== undefined && sameMxSet(served, stands);
  };
  if (!call.preview) {
    return untilServed(
      live,
      call,
      "MX",
      `every name server serves what Cloudflare has (${set})`,
      agrees,
    );
  }
  const differing = (await live.askNameServers("MX")).filter((answer) => !agrees(answer));
  const [first] = differing;
  if (first === undefined) return;
  const seen = formatMxSet(servedMx(first) ?? []);
  call.warn(
    `${first.server.name} answers ${seen} for ${live.domain}, Cloudflare's API has ${set}: the takeover waits until they agree.`,
  );
}

/** For a preview: the Server that the mail system behind the present MX recommends, where it is another. */
export function hintAtServer({ domain, present }: MxWorld, inputs: Inputs, call: Call): void {
  const gatewayHosts = inputs.mx.map(({ exchange }) => exchange);
  const { system, name, role } = recogniseMailSystem(present, gatewayHosts);
  if (role !== "mailboxes") return;
  const { server } = recommendServer(system, domain, present, gatewayHosts);
  if (server === undefined || server === inputs.server) return;
  call.info(
    `Server of ${domain} is ${inputs.server}; the present MX belong to ${name}, which recommends ${server}.`,
  );
}
