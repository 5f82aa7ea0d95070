/** Whether someone else has changed the domain's records at Cloudflare, and when. */
import { type Check, judged, notice, well, wrong } from "./check.ts";
import type { DomainEvidence } from "./evidence.ts";

export const BRING_BACK =
  "If it is right, write it into the stack's file. Otherwise pulumi up --refresh brings back what the stack says.";

export function checkChanges({ changes }: DomainEvidence): readonly Check[] {
  if (changes === undefined) return [];
  return judged("dns-changed", changes, (drifts) => {
    if (drifts.length === 0) {
      return [well("dns-changed", "At Cloudflare the records are as the last run left them.")];
    }
    return drifts.map(({ text, isMissing }) =>
      isMissing ? wrong("dns-changed", text, BRING_BACK) : notice("dns-changed", text, BRING_BACK),
    );
  });
}
