/** For a preview: names below a domain whose MX stay where the domain's MX were. */
import { formatMxSet, includesMx } from "../mail/mx.ts";
import type { MxGoal, MxWorld } from "../mail/mx-goal.ts";
import { formatNote, subdomainText } from "../mail/preview-note.ts";
import { asMx, type LiveDomain } from "./live-domain.ts";
import type { Call } from "./resource.ts";

/** Says nothing where the domain's MX are at a gateway already: verify does. */
export async function saySubdomains(
  live: LiveDomain,
  { present, journal }: MxWorld,
  { wanted, known }: MxGoal,
  call: Call,
): Promise<void> {
  const gateways = [...wanted, ...known];
  if (present.some((record) => includesMx(gateways, record))) return;
  const former = new Set((journal?.former ?? present).map(({ exchange }) => exchange));
  const left = (await live.observeZoneMx())
    .map(asMx)
    .filter(({ name, exchange }) => name.endsWith(`.${live.domain}`) && former.has(exchange));
  for (const [name, mx] of Map.groupBy(left, (record) => record.name)) {
    call.info(formatNote("subdomain-mx", subdomainText(name, formatMxSet(mx))));
  }
}
