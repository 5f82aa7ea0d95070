/**
 * What must hold before a domain's MX may be pointed at the gateway, where its zone is at Cloudflare.
 * Refused is what would lose mail.
 */
import { formatMxSet, includesAllMx, sameMxSet } from "../mail/mx.ts";
import type { MxWorld } from "../mail/mx-goal.ts";
import { formatNote } from "../mail/preview-note.ts";
import { refuseHiddenWildcard } from "./hidden-wildcard.ts";
import {
  type LiveDomain,
  readJournal,
  readTexts,
  refuseUnwritable,
  type View,
} from "./live-domain.ts";
import { refuseLostReplacements, type TakeoverWorld } from "./lost-senders.ts";
import type { MxTakeoverInputs as Inputs } from "./mx-takeover-schema.ts";
import { refuseBrokenPath, refuseUnsafeMove } from "./public-conditions.ts";
import { servedMx } from "./public-domain.ts";
import type { Call } from "./resource.ts";
import { untilServed } from "./wait.ts";

/** @throws MailRuleError with the reason and the way on */
export async function refuseTakeover(
  live: LiveDomain,
  view: View,
  world: TakeoverWorld,
  inputs: Inputs,
  call: Call,
): Promise<void> {
  refuseUnwritable(inputs.domain, view);
  await refuseBrokenPath(live, inputs);
  const texts = readTexts(view).map(({ content }) => content);
  const sending = { ...world, texts, spfClaims: readJournal(view).spf };
  if (includesAllMx(world.present, inputs.mx)) {
    return refuseLostReplacements(live, sending, inputs, call);
  }
  // Inherited MX are copied; nothing else is.
  await refuseHiddenWildcard(live, view, ["A", "AAAA", "CNAME", "TXT"]);
  await refuseUnsafeMove(live, sending, inputs, call);
  if (world.journal === undefined) await refuseOtherZone(live, world, call);
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
  const text = `${first.server.name} answers ${seen} for ${live.domain}, Cloudflare's API has ${set}: the takeover waits until they agree.`;
  call.warn(formatNote("dns-disagrees", text));
}
