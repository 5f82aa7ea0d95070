/**
 * Asks a gateway whose routes are kept elsewhere, before a domain's MX move to it: each of its MX hosts must take
 * mail for the domain. Where this machine cannot ask (port 25 is often blocked), that is a warning.
 */
import type { MxRecord, Resolver } from "../mail/dns.ts";
import { MailRuleError } from "../mail/errors.ts";
import { type GatewayAnswer, judgeGateway } from "../mail/gateway-answer.ts";
import { formatMxSet, includesAllMx } from "../mail/mx.ts";
import type { MxWorld } from "../mail/mx-goal.ts";
import { askHost, describeAsked } from "./ask-host.ts";
import type { MxTakeoverInputs } from "./mx-takeover-schema.ts";
import type { Call } from "./resource.ts";

export interface GatewayProbe {
  readonly resolver: Resolver;
  readonly world: Pick<MxWorld, "present">;
  readonly inputs: MxTakeoverInputs;
  readonly call: Call;
}

interface Finding {
  readonly answer: GatewayAnswer;
  readonly words: string;
}

/**
 * Not in a preview: what a person has to set up first may still be missing then.
 *
 * @throws MailRuleError `gateway-refuses-domain`
 */
export async function refuseUnknownDomain(probe: GatewayProbe): Promise<void> {
  const { world, inputs, call } = probe;
  const { domain, mx } = inputs;
  if (!inputs.probeGateway || call.preview || includesAllMx(world.present, mx)) return;
  if (call.settings.gatewayConfirmed.includes(domain)) {
    call.info(`${domain}: confirmed by the administrator that ${formatMxSet(mx)} take its mail.`);
    return;
  }
  call.progress(`${domain}: asking ${formatMxSet(mx)} whether they take its mail`);
  const found = await Promise.all(mx.map((host) => askMx(host, probe)));
  call.signal.throwIfAborted();
  const refusing = found.filter(({ answer }) => answer.kind === "refuses");
  if (refusing.length > 0) throw refused(inputs, refusing);
  const unclear = found.filter(({ answer }) => answer.kind === "unclear");
  if (unclear.length > 0) {
    call.warn(
      `${domain}: nothing shows that the gateway takes its mail.\n${wordsOf(unclear)}\nThe MX are moved all the same: see that it has its directives.`,
    );
  }
}

async function askMx(
  { exchange }: MxRecord,
  { inputs, resolver, call }: GatewayProbe,
): Promise<Finding> {
  const { domain, probeRecipient } = inputs;
  const asked = await askHost(exchange, probeRecipient ?? `postmaster@${domain}`, resolver, call);
  const answer = judgeGateway(asked?.answer, probeRecipient !== undefined);
  const why = answer.kind === "unclear" ? answer.why : "";
  return { answer, words: describeAsked(exchange, why, asked) };
}

function refused(
  { domain, mx, server, mxLookup }: MxTakeoverInputs,
  found: readonly Finding[],
): MailRuleError {
  return new MailRuleError({
    code: "gateway-refuses-domain",
    where: `MX of ${domain}`,
    value: formatMxSet(mx),
    problem: `The gateway refuses mail for ${domain}.\n${wordsOf(found)}\n`,
    fix:
      "The MX were not moved, and mail goes on as before. Give the gateway the domain first: in its dashboard, at " +
      `${domain}, Server ${server}, MX Lookup ${mxLookup ? "on" : "off"}, and the rest as pulumi preview shows it under ` +
      "steps; then run pulumi up again. If it refuses this machine alone (a block list, an address without a PTR record), " +
      `set MXHERO_GATEWAY_CONFIRMED=${domain} in the environment for that run.`,
  });
}

function wordsOf(found: readonly Finding[]): string {
  return found.map(({ words }) => words).join("\n");
}
