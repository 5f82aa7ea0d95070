import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  answer,
  DOMAIN,
  FORMER,
  found,
  GATEWAY,
  journalTexts,
  OLD,
  read,
  server,
  soundEvidence,
} from "../testdata/verify.ts";
import {
  checkJournal,
  checkMx,
  checkMxAround,
  checkNameServers,
  checkOldMx,
  checkSubdomainMx,
} from "./dns-checks.ts";
import type { DomainEvidence, ServerView } from "./evidence.ts";

function withServers(...servers: ServerView[]): DomainEvidence {
  return soundEvidence({ servers: read(servers) });
}

function bypassed(...servers: ServerView[]): DomainEvidence {
  const evidence = withServers(...servers);
  if (evidence.takeover === undefined) throw new Error("no takeover");
  return { ...evidence, takeover: { ...evidence.takeover, bypass: true } };
}

const silent = { status: "timeout", records: [] } as const;
const mixed = server({ mx: answer<"MX">([GATEWAY, OLD]) }, 2);
const stranger = { preference: 20, exchange: "mx.stranger.test" };

test("name servers: one that does not answer is not read", () => {
  expect(found(checkNameServers(withServers(server(), server({ mx: silent }, 2))))).toEqual([
    "name-servers unread",
  ]);
  expect(found(checkNameServers(withServers(server(), server({ journal: silent }, 2))))).toEqual([
    "name-servers unread",
  ]);
  expect(found(checkNameServers(withServers(server(), server({}, 2))))).toEqual([]);
});

test("mx: each server that differs is named", () => {
  const differing = server({ mx: answer<"MX">([OLD]) }, 2);
  const checks = checkMx(withServers(server(), differing));
  expect(found(checks)).toEqual(["mx wrong"]);
  expect(checks[0]?.text).toContain("ns2.dns-host.test");
  expect(found(checkMx(withServers(server(), mixed)))).toEqual([]);
});

test("mx: another preference is another record", () => {
  const other = server({ mx: answer<"MX">([{ ...GATEWAY, preference: 20 }]) });
  expect(found(checkMx(withServers(other)))).toEqual(["mx wrong"]);
});

test("mx: a server that does not answer is no difference, and none that answers is no verdict", () => {
  expect(found(checkMx(withServers(server(), server({ mx: silent }, 2))))).toEqual([]);
  expect(checkMx(withServers(server({ mx: silent })))).toEqual([]);
});

test("mx: during a bypass the former ones stand, and the gateway's do not", () => {
  const former = server({ mx: answer<"MX">([OLD]) });
  expect(found(checkMx(bypassed(former)))).toEqual([]);
  expect(found(checkMx(bypassed(server())))).toEqual(["mx wrong"]);
  expect(found(checkMx(bypassed(mixed)))).toEqual(["mx wrong"]);
  expect(checkOldMx(bypassed(former))).toEqual([]);
  expect(checkMxAround(bypassed(former))).toEqual([]);
});

test("mx: for any set of servers, all are well exactly if each serves the gateway's", () => {
  const sets = fc.subarray([GATEWAY, OLD, stranger]);
  fc.assert(
    fc.property(fc.array(sets, { minLength: 1, maxLength: 4 }), (each) => {
      const views = each.map((mx, index) => server({ mx: answer<"MX">(mx) }, index + 1));
      const evidence = withServers(...views);
      const isServed = each.every((mx) => mx.includes(GATEWAY));
      expect(found(checkMx(evidence)).length === 0).toBe(isServed);
      expect(found(checkOldMx(evidence)).length === 0).toBe(!each.flat().includes(OLD));
      expect(found(checkMxAround(evidence)).length === 0).toBe(!each.flat().includes(stranger));
    }),
  );
});

test("mx-old: a former host with another preference is still the former host", () => {
  const again = server({ mx: answer<"MX">([GATEWAY, { ...OLD, preference: 50 }]) });
  const checks = checkOldMx(withServers(again));
  expect(found(checks)).toEqual(["mx-old wrong"]);
  expect(checks[0]?.text).toContain("50 mail.contoso.test.");
});

test("mx-subdomains: other names with the former MX, but for domains of the stack", () => {
  const names = ["sub.contoso.test", "own.contoso.test", DOMAIN];
  const zoneMx = read(names.map((name) => ({ ...OLD, name })));
  const ownDomains = new Set([DOMAIN, "own.contoso.test"]);
  const checks = checkSubdomainMx(soundEvidence({ zoneMx, ownDomains }));
  expect(found(checks)).toEqual(["mx-subdomains notice"]);
  expect(checks[0]?.text).toContain("sub.contoso.test");
  const elsewhere = read([{ ...stranger, name: "sub.contoso.test" }]);
  expect(found(checkSubdomainMx(soundEvidence({ zoneMx: elsewhere })))).toEqual([]);
});

function withJournal(...texts: string[]): DomainEvidence {
  return withServers(server({ journal: answer<"TXT">(texts) }));
}

test("journal: missing, damaged, in another phase, with other MX", () => {
  expect(found(checkJournal(withJournal(...journalTexts())))).toEqual([]);
  expect(found(checkJournal(withJournal()))).toEqual(["journal wrong"]);
  expect(found(checkJournal(withJournal("v=mxhero1 kind=mx holder=contoso")))).toEqual([
    "journal wrong",
  ]);
  const taking = checkJournal(withJournal(...journalTexts({ phase: "taking" })));
  expect(taking[0]?.text).toContain("phase taking");
  const former = [{ ...stranger, ttl: 300 }];
  const other = checkJournal(withJournal(...journalTexts({ former })));
  expect(other[0]?.text).toContain("would put back 20 mx.stranger.test. (revision 1)");
  const later = journalTexts({ revision: 2, former: FORMER });
  expect(found(checkJournal(withJournal(...later)))).toEqual(["journal wrong"]);
});

test("journal: a bypassed domain has it in the phase bypassed, or none where it was bypassed from the start", () => {
  const journal = answer<"TXT">(journalTexts({ phase: "bypassed" }));
  const evidence = bypassed(server({ journal }));
  expect(found(checkJournal(evidence))).toEqual([]);
  expect(found(checkJournal(bypassed(server())))).toEqual(["journal wrong"]);
  if (evidence.takeover === undefined) throw new Error("no takeover");
  const never = { ...evidence, takeover: { ...evidence.takeover, revision: 0 } };
  expect(
    checkJournal({ ...never, servers: read([server({ journal: answer<"TXT">([]) })]) }),
  ).toEqual([]);
});

test("journal: where a person keeps the DNS there is none, and that is said", () => {
  const evidence = withJournal();
  if (evidence.takeover === undefined) throw new Error("no takeover");
  const checks = checkJournal({
    ...evidence,
    takeover: { ...evidence.takeover, isJournalled: false },
  });
  expect(checks).toMatchObject([{ id: "journal", status: "well" }]);
});
