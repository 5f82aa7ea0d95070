/** Whether mail gets through: the senders' policy, no loop, and the gateway's answer at RCPT. */
import { matchesMxPattern } from "../mta-sts.ts";
import { routeStage } from "../route-life.ts";
import { isUnknownMailbox } from "../route-proof.ts";
import { type Check, judged, notice, unread, well, wrong } from "./check.ts";
import type { DomainEvidence, RcptAnswer, RcptView } from "./evidence.ts";

/** RFC 8461: in mode enforce, senders refuse MX that the policy does not name. */
export function checkMtaSts({ takeover, mtaSts, domain }: DomainEvidence): readonly Check[] {
  if (takeover === undefined) return [];
  return judged("mta-sts", mtaSts, (policy) => {
    if (policy === undefined) return [well("mta-sts", "There is no MTA-STS policy.")];
    const { mode, mx } = policy;
    const lacks = (exchange: string) => !mx.some((pattern) => matchesMxPattern(pattern, exchange));
    const file = `https://mta-sts.${domain}/.well-known/mta-sts.txt`;
    const gateway = hostsOf(takeover.mx).filter(lacks);
    const former = hostsOf(takeover.before).filter(lacks);
    const inUse = takeover.bypass ? former : gateway;
    if (mode === "none")
      return [well("mta-sts", "The policy's mode is none: nothing is demanded.")];
    const add = (hosts: readonly string[]) =>
      `Add ${hosts.map((host) => `"mx: ${host}"`).join(", ")} to ${file}, and change the id in the TXT record _mta-sts.${domain}.`;
    if (mode === "enforce" && inUse.length > 0) {
      const text = `The policy is enforced and does not admit ${inUse.join(", ")} (it admits ${mx.join(", ")}): Google, Microsoft and others refuse to deliver.`;
      return [wrong("mta-sts", text, add(inUse))];
    }
    const others = [...new Set([...gateway, ...former])];
    if (mode === "testing") {
      const rest = others.length === 0 ? "" : `, and does not admit ${others.join(", ")}`;
      const text = `The policy's mode is testing: senders only report${rest}.`;
      const fix = others.length === 0 ? undefined : `Before it becomes enforce: ${add(others)}`;
      return [notice("mta-sts", text, fix)];
    }
    if (others.length === 0)
      return [well("mta-sts", "The policy admits the gateway's MX and the former ones.")];
    const text = `The policy is enforced and does not admit ${others.join(", ")}: after ${takeover.bypass ? "the bypass" : "a bypass or an offboarding"}, senders that know the policy would refuse to deliver.`;
    return [notice("mta-sts", text, add(others))];
  });
}

function hostsOf(mx: readonly { readonly exchange: string }[]): string[] {
  return mx.map(({ exchange }) => exchange).filter((exchange) => exchange !== "");
}

export function checkLoop({ loop }: DomainEvidence): readonly Check[] {
  return judged("loop", loop, (found) =>
    found === undefined
      ? [well("loop", "The Server does not lead back to the gateway.")]
      : [
          wrong(
            "loop",
            found.description,
            "Correct the Server in the stack's file, or its DNS; it is the host that finally receives the mail.",
          ),
        ],
  );
}

/** The gateway accepts a recipient of the domain, asked as a sender asks it. Nothing is sent. */
export function checkRcpt(evidence: DomainEvidence): readonly Check[] {
  if (evidence.rcpt === undefined) return [];
  return judged("rcpt", evidence.rcpt, (view) => {
    const unnamed = view.missing.map((host) =>
      wrong(
        "rcpt",
        `The gateway's host ${host} has no address in DNS, so no sender can deliver to it.`,
        "Bring the gateway's stack up, or correct mail:gateway.",
      ),
    );
    const reached = view.answers.filter(({ result }) => result.kind !== "failed");
    if (view.answers.length > 0 && reached.length === 0) return [...unnamed, notReached(view)];
    const refusal = refusalByStage(evidence);
    const judge = (answer: RcptAnswer) =>
      refusal === undefined ? judgeAnswer(answer, view) : judgeRefusing(answer, refusal);
    const faults = view.answers.flatMap((answer) => judge(answer) ?? []);
    if (unnamed.length + faults.length > 0) return [...unnamed, ...faults];
    const count = reached.length === 1 ? "1 address" : `${reached.length} addresses`;
    const said = refusal === undefined ? `accepts <${view.recipient}>` : refusal;
    return [well("rcpt", `The gateway ${said}, asked at ${count}.`)];
  });
}

/** What the gateway is to say to mail of a domain that is given up or inactive. */
function refusalByStage({ store, now }: DomainEvidence): string | undefined {
  if (store.kind !== "read" || store.value.record === undefined) return undefined;
  const stage = routeStage(store.value.record, now);
  if (stage === "deferring") return "puts mail off (4xx), as the route says";
  return stage === "refusing" ? "refuses mail (5xx), as the route says" : undefined;
}

function judgeRefusing(answer: RcptAnswer, refusal: string): Check | undefined {
  if (answer.result.kind !== "accepted") return undefined;
  return wrong(
    "rcpt",
    `${placeOf(answer)} accepts mail, and should be a gateway that ${refusal}.`,
    "Look at the slot's agent: it does not follow the route store.",
  );
}

function judgeAnswer(answer: RcptAnswer, view: RcptView): Check | undefined {
  const { result, excludedSlot } = answer;
  if (result.kind === "accepted") return undefined;
  const told = `${placeOf(answer)}: ${wordsOf(answer)}`;
  if (result.kind === "failed") {
    const text = `${placeOf(answer)} does not answer, while others do: ${wordsOf(answer)}`;
    return excludedSlot === undefined
      ? wrong(
          "rcpt",
          text,
          "Look at that slot of the gateway; senders that try it first lose time.",
        )
      : notice("rcpt", `${text} (slot ${excludedSlot} is left out by excludeSlots)`);
  }
  const isGuess = !view.isKnown && result.kind === "refused" && result.atRecipient;
  if (isGuess && isUnknownMailbox(result.reply)) {
    return unread(
      "rcpt",
      `${told} (whether <${view.recipient}> exists is not known)`,
      "Name a mailbox that exists as probeRecipient of the domain.",
    );
  }
  const problem = result.kind === "deferred" ? "puts mail off" : "refuses mail";
  return wrong(
    "rcpt",
    `The gateway ${problem} for <${view.recipient}>. ${told}`,
    "Look at the reply: a route that the slot does not have, a Server that does not answer, a recipient that is gone.",
  );
}

/** Where nothing answers, it is more often the network of this machine than all of the gateway. */
function notReached({ answers }: RcptView): Check {
  const [first] = answers;
  const said = first === undefined ? "" : ` (${placeOf(first)}: ${wordsOf(first)})`;
  return unread(
    "rcpt",
    `It could not be checked: no address of the gateway answers on port 25${said}.`,
    "Many networks block outgoing port 25, those of clouds and hosted runners among them: verify from elsewhere, or leave this out with --no-smtp. If port 25 works here, the gateway is down.",
  );
}

function placeOf({ host, address }: RcptAnswer): string {
  return `${host} (${address})`;
}

function wordsOf({ steps }: RcptAnswer): string {
  const last = steps.at(-1);
  return last === undefined ? "no answer" : `${last.action} → ${last.outcome}`;
}
