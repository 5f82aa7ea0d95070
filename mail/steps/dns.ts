/** What a person changes in DNS while `pulumi up` and `pulumi destroy` are run, for a domain with `dns: manual`. */
import { mxLine } from "../zone-file.ts";
import type { StepFacts } from "./facts.ts";

/** The TTL that the runs propose, in seconds. */
const TTL = 300;

/** For the step that runs `pulumi up`; nothing where an API changes the records. */
export function changesOfUp({ domain, byHand }: StepFacts): string[] {
  if (byHand === undefined) return [];
  const { mx, spfTerms } = byHand;
  return [
    stopsAt(domain, "pulumi up"),
    ...(spfTerms.length > 0
      ? [`The SPF record gets ${spfTerms.join(" ")}: replace the one record, never add a second.`]
      : []),
    ...(mx.length > 0
      ? [
          `Then the MX. Added first: ${lines(domain, mx, TTL)}`,
          "The MX of before go only when the run names them. From the first run on the stack's state alone knows them, as mx.before in the output domains: keep it.",
        ]
      : []),
  ];
}

/** For the step that runs `pulumi destroy`. */
export function changesOfDestroy({ domain, byHand }: StepFacts): string[] {
  if (byHand === undefined) return [];
  const { mx, spfTerms } = byHand;
  return [
    stopsAt(domain, "pulumi destroy"),
    ...(mx.length > 0
      ? [
          "The MX of before (mx.before in the output domains) are added first.",
          `Removed when the run says so: ${lines(domain, mx)}`,
        ]
      : []),
    ...(spfTerms.length > 0 ? [`Last, the SPF record loses ${spfTerms.join(" ")}.`] : []),
  ];
}

function stopsAt(domain: string, command: string): string {
  return `The run stops at each DNS change with an error that shows it. Make it where the DNS of ${domain} is kept, and run ${command} again, until it ends without an error.`;
}

function lines(domain: string, mx: NonNullable<StepFacts["byHand"]>["mx"], ttl?: number): string {
  return mx.map((record) => mxLine(domain, record, ttl)).join("; ");
}
