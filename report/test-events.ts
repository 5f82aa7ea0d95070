/** For tests: events in the form of the engine, of one domain whose parts change as a test says. */
import { buildReport } from "./build-report.ts";
import type { Part } from "./kept-values.ts";
import { PreviewReader } from "./preview-reader.ts";
import type { StackReport } from "./stack-report.ts";

const TYPES: Readonly<Record<Part, string>> = {
  component: "mxhero:tenant:TenantDomain",
  mx: "mxhero:index:MxTakeover",
  spf: "mxhero:index:SpfInclude",
  route: "mxhero:index:Route",
  drain: "mxhero:index:Drain",
};

type Values = Readonly<Record<string, unknown>>;

export interface Change {
  /** Absent before a create. */
  readonly old?: Values;
  /** Absent after a delete. */
  readonly new?: Values;
  /** The properties that differ. @default those of both that are not equal */
  readonly differs?: readonly string[];
  /** @default what `old` and `new` say */
  readonly op?: string;
}

export type Changes = Partial<Readonly<Record<Part, Change>>>;

export function urnOf(part: Part, domain = "contoso.test"): string {
  const [name, type] =
    part === "component" ? ["", TYPES[part]] : [`-${part}`, `${TYPES.component}$${TYPES[part]}`];
  return `urn:pulumi:contoso::mail::mxhero:tenant:Tenant$${type}::tenant-${domain}${name}`;
}

export function eventOf(part: Part, change: Change, domain?: string): unknown {
  const { old, new: next, op = opOf(change), differs = differing(change) } = change;
  const detailedDiff = Object.fromEntries(
    differs.map((path) => [path, { diffKind: "update", inputDiff: false }]),
  );
  return {
    resOutputsEvent: {
      metadata: {
        op,
        urn: urnOf(part, domain),
        type: TYPES[part],
        old: old === undefined ? null : { inputs: old, outputs: old },
        new: next === undefined ? null : { inputs: next, outputs: next },
        detailedDiff,
      },
    },
  };
}

function opOf({
  old,
  new: next,
  differs = differing({ ...(old && { old }), ...(next && { new: next }) }),
}: Change): string {
  if (old === undefined) return "create";
  if (next === undefined) return "delete";
  return differs.length === 0 ? "same" : "update";
}

function differing({ old, new: next }: Change): string[] {
  if (old === undefined || next === undefined) return [];
  const names = new Set([...Object.keys(old), ...Object.keys(next)]);
  return [...names].filter((name) => JSON.stringify(old[name]) !== JSON.stringify(next[name]));
}

/** What somebody says of a part. */
export function saidOf(part: Part, severity: string, message: string): unknown {
  return { diagnosticEvent: { urn: urnOf(part), severity, message: `${message}\n` } };
}

/** The report on a preview of these changes. */
export function reportOf(
  changes: Changes,
  said: readonly unknown[] = [],
  exitCode = 0,
): StackReport {
  const reader = new PreviewReader();
  for (const part of ["component", "route", "spf", "drain", "mx"] as const) {
    const change = changes[part];
    if (change !== undefined) reader.see(eventOf(part, change));
  }
  for (const each of said) reader.see(each);
  return buildReport(reader.end({ exitCode, text: "" }), { stack: "contoso", kind: "tenant" });
}

/** The values of a component whose domain has its MX at the gateway. */
export function componentValues(report: Values = {}): Values {
  return {
    report: {
      name: "contoso.test",
      inbound: "border",
      outbound: "standard",
      mailSystem: "exchange",
      gateway: "smtp-in.gateway.test",
      dns: "cloudflare",
      directives: {
        server: "mail.contoso.test",
        mxLookup: false,
        rcptLookup: "probe",
        relayServer: "none",
      },
      route: { sendingFrom: ["192.0.2.25"] },
      inboundPath: {
        before: "sender → MX 10 mail.contoso.test",
        after: "sender → gateway → Exchange",
      },
      outboundPath: { before: "Exchange → world", after: "Exchange → gateway → world" },
      ...report,
    },
    steps: {
      onboarding: [["1. Before pulumi up: Do one thing"]],
      offboarding: [["1. Before pulumi destroy: Undo it"]],
    },
  };
}

export function mxValues(values: Values = {}): Values {
  return {
    domain: "contoso.test",
    mx: [{ exchange: "smtp-in.gateway.test", preference: 10 }],
    before: [{ exchange: "mail.contoso.test", preference: 10 }],
    after: [{ exchange: "smtp-in.gateway.test", preference: 10 }],
    former: [{ exchange: "mail.contoso.test", preference: 10, ttl: 300 }],
    bypass: false,
    overlapSeconds: 60,
    handBackConfirmed: false,
    ...values,
  };
}

export function spfValues(values: Values = {}): Values {
  return {
    domain: "contoso.test",
    include: "_spf.gateway.test",
    before: "v=spf1 mx -all",
    after: "v=spf1 mx include:_spf.gateway.test -all",
    lookups: 2,
    lookupsByTerm: "2 of 10 lookups: include:_spf.gateway.test 1, mx 1",
    ...values,
  };
}
