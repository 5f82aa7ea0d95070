/** For tests: for each risk of a domain a preview that has it, and one that nearly has. */
import type { Part } from "./kept-values.ts";
import type { RISK_IDS } from "./risk-ids.ts";
import type { Risk } from "./stack-report.ts";
import type { TestPart } from "./test-preview.ts";

export type Parts = Partial<Record<Part, TestPart>>;

export interface Case {
  readonly id: (typeof RISK_IDS)[number];
  readonly level: Risk["level"];
  readonly there: Parts;
  /** Nearly the same, without the risk. */
  readonly not: Parts;
}

const DAY = 86_400;
const mxHosts = [{ exchange: "mail.contoso.test", preference: 10 }];
const report = (changed: object) => ({
  report: {
    inbound: "border",
    mailSystem: "exchange",
    directives: { server: "a.test", rcptLookup: "probe", relayServer: "none" },
    ...changed,
  },
});
const created = (changed: object) => ({ op: "create", old: undefined, new: report(changed) });
const former = (ttl: number) => mxHosts.map((record) => ({ ...record, ttl }));

export const CASES: readonly Case[] = [
  {
    id: "old-connector-locked",
    level: "medium",
    there: { mx: { changes: ["bypass"], old: {}, new: { bypass: true } } },
    not: { mx: { changes: ["bypass"], old: { bypass: true }, new: { bypass: false } } },
  },
  {
    id: "hand-back-on-word",
    level: "high",
    there: { mx: { op: "delete", old: { handBackConfirmed: true, before: mxHosts } } },
    not: { mx: { op: "delete", old: { handBackConfirmed: false, before: mxHosts } } },
  },
  {
    id: "former-mx-stale",
    level: "medium",
    there: { mx: { changes: ["server"], old: {}, new: { before: mxHosts } } },
    not: { mx: { changes: ["server"], old: {}, new: { before: mxHosts, handBackTo: mxHosts } } },
  },
  {
    id: "outbound-on-word",
    level: "medium",
    there: { drain: { op: "delete", old: { quietSeconds: DAY } } },
    not: { drain: { op: "delete", old: { quietSeconds: DAY, store: { table: "routes" } } } },
  },
  {
    id: "outbound-on-word",
    level: "medium",
    there: { drain: { lost: ["include"], old: { quietSeconds: DAY }, new: { quietSeconds: DAY } } },
    not: {
      drain: { changes: ["include"], old: { quietSeconds: DAY }, new: { quietSeconds: DAY } },
    },
  },
  {
    id: "mail-refused",
    level: "high",
    there: { route: { changes: ["inactive"], old: {}, new: { inactive: true } } },
    not: { route: { changes: ["inactive"], old: {}, new: { inactive: false } } },
  },
  {
    id: "sender-refused",
    level: "medium",
    there: {
      component: {
        old: report({ route: { sendingFrom: ["192.0.2.1", "192.0.2.2"] } }),
        new: report({ route: { sendingFrom: ["192.0.2.1"] } }),
      },
    },
    not: {
      component: {
        old: report({ route: { sendingFrom: ["192.0.2.1"] } }),
        new: report({ route: { sendingFrom: ["192.0.2.1", "192.0.2.2"] } }),
      },
    },
  },
  {
    id: "server-not-changed",
    level: "high",
    there: {
      component: { old: report({}), new: report({ mailSystem: "google" }) },
      route: { changes: ["sending"] },
    },
    not: {
      component: { old: report({}), new: report({ mailSystem: "google" }) },
      route: { changes: ["server"] },
    },
  },
  {
    id: "spf-budget",
    level: "medium",
    there: { spf: { new: { lookups: 9, lookupsByTerm: "9 of 10 lookups: mx 9" } } },
    not: { spf: { new: { lookups: 8, lookupsByTerm: "8 of 10 lookups: mx 8" } } },
  },
  {
    id: "long-ttl",
    level: "medium",
    there: { mx: { op: "create", new: { former: former(DAY) } } },
    not: { mx: { op: "create", new: { former: former(DAY - 1) } } },
  },
  {
    id: "no-rcpt-lookup",
    level: "medium",
    there: {
      component: created({ directives: { rcptLookup: "off", relayServer: "none" } }),
      mx: { op: "create", new: {} },
    },
    not: { component: created({}), mx: { op: "create", new: {} } },
  },
  {
    id: "relay-spf",
    level: "medium",
    there: {
      component: { old: report({}), new: report({ directives: { relayServer: "filter.test" } }) },
    },
    not: { component: { old: report({}), new: report({}) } },
  },
  {
    id: "changed-by-others",
    level: "medium",
    there: { mx: { changes: ["after"], old: {}, new: {} } },
    not: { mx: { changes: ["server"], old: {}, new: {} } },
  },
  {
    id: "dns-by-hand",
    level: "low",
    there: {
      component: { old: report({ dns: "manual" }), new: report({ dns: "manual" }) },
      mx: {},
    },
    not: {
      component: { old: report({ dns: "cloudflare" }), new: report({ dns: "cloudflare" }) },
      mx: {},
    },
  },
  {
    id: "replaced",
    level: "high",
    there: { mx: { op: "replace" } },
    not: { mx: { op: "update" } },
  },
];
