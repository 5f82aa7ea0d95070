/**
 * The steps at a gateway that keeps its own routes, in its dashboard.
 *
 * Source: mxHERO help centre, "Configuring Email Routing in mxHERO" (2025-11-13): the directives and their names.
 */
import type { StepFacts } from "./facts.ts";
import type { DomainSteps, Step } from "./step.ts";
import { AFTER_LEAVING, BEFORE_UP } from "./words.ts";

/** Put before and behind the steps of the mail system. */
export function hostedSteps(facts: StepFacts): DomainSteps {
  if (!facts.gateway.isHosted) return { onboarding: [], offboarding: [] };
  return { onboarding: [directives(facts)], offboarding: [forget(facts)] };
}

function directives(facts: StepFacts): Step {
  const { domain, server, relayServer, rcptLookup, mxLookup, inbound, gateway } = facts;
  const relay =
    relayServer === undefined ? "empty" : `${relayServer.host}, port ${relayServer.port}`;
  return {
    when: BEFORE_UP,
    title: `give the gateway its directives for ${domain}`,
    words: [
      `In the gateway's dashboard, or by whoever runs it, at the domain ${domain}:`,
      `Server: ${server}. It is never empty: the gateway would look the MX up then, which is itself, a loop.`,
      `Relay Server: ${relay}.`,
      `Rcpt Lookup: ${onOff(rcptLookup !== "off")}.`,
      `MX Lookup: ${onOff(mxLookup)}.`,
    ],
    blocks: [],
    check:
      inbound === "none"
        ? ["The dashboard shows the domain with these values after a reload."]
        : [
            `From any host with port 25 open, ${gateway.mx.join(" and ")} answers 250 to RCPT TO for an address of ${domain} ` +
              "that exists. pulumi up asks the same before it moves the MX.",
          ],
  };
}

function onOff(on: boolean): string {
  return on ? "on" : "off";
}

function forget({ domain }: StepFacts): Step {
  return {
    when: AFTER_LEAVING,
    title: `take ${domain} out of the gateway`,
    words: [
      "Not before: resolvers may remember the gateway's MX, and senders try for 5 days to deliver what they have queued.",
      "Then delete the domain in the gateway's dashboard, or tell whoever runs it. As long as it stays there, mail between the " +
        "gateway's customers may still be routed by it.",
    ],
    blocks: [],
    check: [`The dashboard no longer lists ${domain}.`],
  };
}
