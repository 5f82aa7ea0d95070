/** What has to be so in the demonstration, in sentences about what is not. */
import type { DomainView } from "./domain-view.ts";
import { hasArrived, type Sent } from "./mail-stream.ts";
import type { DomainOutputs } from "./stacks.ts";
import { mailPath } from "./words.ts";

/**
 * After `pulumi up`: mail goes through the gateway exactly where the stack says so, and what the
 * gateway sends passes SPF.
 */
export function faultsAfterUp(
  views: readonly DomainView[],
  outputs: ReadonlyMap<string, DomainOutputs>,
  gateway: string,
): string[] {
  return views.flatMap(({ domain, journey, sentByGateway }) => {
    const stack = outputs.get(domain);
    if (stack === undefined) return [`No stack says anything of ${domain}.`];
    const path = mailPath(journey);
    const faults = [];
    if (!hasArrived(journey)) faults.push(`Mail to ${domain} does not arrive: ${path}.`);
    else if (journey.path.includes(gateway) !== (stack.inbound === "border")) {
      faults.push(`Mail to ${domain} goes ${path}, but inbound is ${stack.inbound}.`);
    }
    // Behind a Relay Server it is that one which the world sees.
    const leavesHere =
      stack.outbound === "standard" && (stack.route?.relayServer ?? "none") === "none";
    if (leavesHere && sentByGateway !== "pass") {
      faults.push(`Mail of ${domain} that the gateway sends: SPF ${sentByGateway}.`);
    }
    return faults;
  });
}

/** After `pulumi destroy`: mail goes the way that it went at the start. */
export function faultsAfterDestroy(
  before: readonly DomainView[],
  views: readonly DomainView[],
): string[] {
  return views.flatMap(({ domain, journey }, index) => {
    const old = before[index];
    if (old === undefined) return [`${domain} was not there at the start.`];
    const [was, is] = [mailPath(old.journey), mailPath(journey)];
    return was === is ? [] : [`Mail to ${domain} went ${was}, and goes ${is}.`];
  });
}

/** Every message arrived, and arrived once. @param kept identifiers of all messages at mail systems */
export function faultsOfMail(messages: readonly Sent[], kept: readonly string[]): string[] {
  return messages.flatMap(({ domain, journey }) => {
    const { id } = journey;
    if (!hasArrived(journey)) return [`Message ${id} to ${domain} is lost: ${mailPath(journey)}.`];
    const copies = kept.filter((other) => other === id).length;
    return copies === 1 ? [] : [`Message ${id} to ${domain} arrived ${copies} times.`];
  });
}
