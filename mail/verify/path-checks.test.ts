import { expect, test } from "vitest";
import type { MtaStsPolicy } from "../mta-sts.ts";
import { recordOf, routeOf } from "../testdata/routes.ts";
import {
  accepted,
  DOMAIN,
  found,
  GATEWAY,
  hoursAgo,
  OLD,
  read,
  soundEvidence,
} from "../testdata/verify.ts";
import type { RcptAnswer, RcptResult, RcptView } from "./evidence.ts";
import { checkLoop, checkMtaSts, checkRcpt } from "./path-checks.ts";

const both = [GATEWAY.exchange, OLD.exchange];

test.each<[MtaStsPolicy["mode"], readonly string[], readonly string[]]>([
  ["enforce", both, []],
  ["enforce", ["*.gateway.test", "*.contoso.test"], []],
  ["enforce", [OLD.exchange], ["mta-sts wrong"]],
  ["enforce", [GATEWAY.exchange], ["mta-sts notice"]],
  ["testing", both, ["mta-sts notice"]],
  ["testing", [OLD.exchange], ["mta-sts notice"]],
  ["none", [], []],
])("mta-sts: mode %s that admits %j", (mode, mx, expected) => {
  const mtaSts = read({ mode, mx, maxAge: 86_400 });
  expect(found(checkMtaSts(soundEvidence({ mtaSts })))).toEqual(expected);
});

test("mta-sts: during a bypass the former hosts are those in use", () => {
  const evidence = soundEvidence({
    mtaSts: read({ mode: "enforce", mx: [GATEWAY.exchange], maxAge: 1 } as const),
  });
  if (evidence.takeover === undefined) throw new Error("no takeover");
  const checks = checkMtaSts({ ...evidence, takeover: { ...evidence.takeover, bypass: true } });
  expect(found(checks)).toEqual(["mta-sts wrong"]);
  expect(checks[0]?.fix).toContain(`"mx: ${OLD.exchange}"`);
});

test("mta-sts: nothing is asked of a domain whose MX are its own", () => {
  const { takeover: _, ...rest } = soundEvidence();
  expect(checkMtaSts(rest)).toEqual([]);
});

test("loop", () => {
  const loop = read({ code: "loop-server-is-gateway", description: "It is the gateway." } as const);
  expect(checkLoop(soundEvidence({ loop }))).toMatchObject([
    { id: "loop", status: "wrong", text: "It is the gateway." },
  ]);
});

function rcpt(results: readonly RcptResult[], change: Partial<RcptView> = {}) {
  const answers = results.map(
    (result, index): RcptAnswer => ({
      ...accepted,
      address: `192.0.2.${11 + index}`,
      result,
      steps: [{ action: "RCPT", outcome: result.kind }],
    }),
  );
  const view = { recipient: `info@${DOMAIN}`, isKnown: true, missing: [], answers, ...change };
  return soundEvidence({ rcpt: read(view) });
}

const yes = { kind: "accepted" } as const;
const noAnswer = { kind: "failed", failure: "connectTimeout" } as const;
const noUser = { code: 550, status: "5.1.1", text: "No such user" };
const refused = { kind: "refused", atRecipient: true, reply: noUser } as const;
const deferred = { kind: "deferred", reply: { code: 451, text: "later" } } as const;

test("rcpt: accepted everywhere, refused or put off anywhere", () => {
  expect(found(checkRcpt(rcpt([yes, yes])))).toEqual([]);
  expect(found(checkRcpt(rcpt([yes, refused])))).toEqual(["rcpt wrong"]);
  expect(found(checkRcpt(rcpt([deferred, yes])))).toEqual(["rcpt wrong"]);
});

test("rcpt: where nothing answers it could not be checked; where one does, the other is at fault", () => {
  const blocked = checkRcpt(rcpt([noAnswer, noAnswer]));
  expect(found(blocked)).toEqual(["rcpt unread"]);
  expect(blocked[0]?.fix).toContain("--no-smtp");
  expect(found(checkRcpt(rcpt([yes, noAnswer])))).toEqual(["rcpt wrong"]);
});

test("rcpt: an address of a slot that is left out is a notice", () => {
  const evidence = rcpt([yes]);
  if (evidence.rcpt?.kind !== "read") throw new Error("not read");
  const excluded = { ...accepted, address: "192.0.2.12", result: noAnswer, excludedSlot: "b" };
  const answers = [...evidence.rcpt.value.answers, excluded];
  const checks = checkRcpt({ ...evidence, rcpt: read({ ...evidence.rcpt.value, answers }) });
  expect(found(checks)).toEqual(["rcpt notice"]);
});

test("rcpt: a mailbox that was only guessed proves nothing by not being there", () => {
  expect(found(checkRcpt(rcpt([refused], { isKnown: false })))).toEqual(["rcpt unread"]);
  const policy = { ...refused, reply: { code: 550, status: "5.7.1", text: "no route" } };
  expect(found(checkRcpt(rcpt([policy], { isKnown: false })))).toEqual(["rcpt wrong"]);
});

test("rcpt: a host without address is wrong, also where nothing else is asked", () => {
  expect(found(checkRcpt(rcpt([], { missing: [GATEWAY.exchange] })))).toEqual(["rcpt wrong"]);
});

test("rcpt: a domain whose mail is to be refused is well where it is", () => {
  const leaving = {
    since: hoursAgo(300),
    deferFrom: hoursAgo(100),
    refuseFrom: hoursAgo(50),
    expires: hoursAgo(-500),
  };
  const record = { ...recordOf(routeOf(DOMAIN)), leaving };
  const store = read({ record, slots: ["a"], answers: [] });
  expect(found(checkRcpt({ ...rcpt([refused]), store }))).toEqual([]);
  expect(found(checkRcpt({ ...rcpt([yes]), store }))).toEqual(["rcpt wrong"]);
});
