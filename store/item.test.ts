import * as fc from "fast-check";
import { expect, test } from "vitest";
import {
  type NumberedRoute,
  OUTBOUND_FLOWS,
  type RouteRecord,
  type SlotAnswer,
  TLS_LEVELS,
} from "../mail/route.ts";
import { recordOf, routeOf } from "../mail/testdata/routes.ts";
import { StoreError } from "./errors.ts";
import {
  answerKey,
  decodeAnswer,
  decodeRoute,
  droppedAnswerFields,
  encodeAnswerFields,
  encodeRoute,
  type Item,
} from "./item.ts";

const text = fc.string({ minLength: 1, unit: "grapheme" });
const version = fc.integer({ min: 1 });
const instant = fc
  .date({ noInvalidDate: true, min: new Date("1970-01-01"), max: new Date("9999-12-31") })
  .map((date) => date.toISOString());

const login = fc.record({ user: text, secret: text, secretVersion: version });
const relayServer = fc.record(
  {
    host: text,
    port: fc.integer({ min: 1, max: 65_535 }),
    tls: fc.constantFrom(...TLS_LEVELS),
    login,
  },
  { requiredKeys: ["host", "port", "tls"] },
);
const rcptLookup = fc.oneof(
  fc.constantFrom({ kind: "off" } as const, { kind: "probe" } as const),
  fc.record({ kind: fc.constant("list" as const), recipients: fc.array(text) }),
);
const identity = fc.oneof(
  fc.record({ kind: fc.constant("network" as const), network: text }),
  fc.record({ kind: fc.constant("certificate" as const), fingerprint: text }),
);
const numberedRoute: fc.Arbitrary<NumberedRoute> = fc.record({
  version,
  route: fc.record(
    {
      domain: text,
      server: text,
      mxLookup: fc.boolean(),
      rcptLookup,
      inbound: fc.boolean(),
      outbound: fc.constantFrom(...OUTBOUND_FLOWS),
      relayServer,
      identities: fc.array(identity),
      probeRecipient: text,
      fixIt: text,
    },
    {
      requiredKeys: [
        ...(["domain", "server", "mxLookup", "rcptLookup", "inbound", "outbound"] as const),
        ...(["identities", "probeRecipient", "fixIt"] as const),
      ],
    },
  ),
});
const record: fc.Arbitrary<RouteRecord> = fc.record(
  {
    domain: text,
    holder: fc.record({ organisation: text, claims: fc.array(text) }),
    revision: version,
    active: numberedRoute,
    formerWay: fc.record(
      { outbound: fc.constantFrom(...OUTBOUND_FLOWS), relayServer },
      { requiredKeys: ["outbound"] },
    ),
    formerServer: fc.record(
      {
        server: text,
        mxLookup: fc.boolean(),
        until: instant,
        accepts: fc.record({ rcptLookup, until: instant }),
      },
      { requiredKeys: ["server", "mxLookup", "until"] },
    ),
    proposed: numberedRoute,
    leaving: fc.record({
      since: instant,
      deferFrom: instant,
      refuseFrom: instant,
      expires: instant,
    }),
    inactive: fc.record({ since: instant, refuseFrom: instant }),
  },
  { requiredKeys: ["domain", "holder", "revision"] },
);
const passed = fc.record({ at: instant, from: text });
/** An agent of an earlier release tells no more than the time and the client. */
const mail = fc.record(
  {
    at: instant,
    from: text,
    spell: fc.record({ since: instant, messages: fc.integer({ min: 1, max: 1_000_000 }) }),
    clients: fc.record({ knownSince: instant, latest: fc.array(passed, { minLength: 1 }) }),
  },
  { requiredKeys: ["at", "from"] },
);
const answer: fc.Arbitrary<SlotAnswer> = fc.record(
  {
    domain: text,
    slot: text,
    proof: fc.record(
      {
        version,
        at: instant,
        verdict: fc.constantFrom("proven", "trying", "failed"),
        steps: fc.array(fc.record({ action: text, outcome: fc.string() })),
        code: text,
      },
      { requiredKeys: ["version", "at", "verdict", "steps"] },
    ),
    acknowledged: version,
    // The store keeps whole seconds.
    expires: fc
      .integer({ min: 1, max: 4_000_000_000 })
      .map((seconds) => new Date(seconds * 1000).toISOString()),
    lastInbound: mail,
    lastOutbound: mail,
  },
  { requiredKeys: ["domain", "slot"] },
);

test("a record is read as it was written", () => {
  fc.assert(
    fc.property(record, version, (written, sequence) => {
      expect(decodeRoute(encodeRoute(written, sequence))).toEqual({ record: written, sequence });
    }),
  );
});

test("an answer is read as it was written, and what a later one does not say stays", () => {
  fc.assert(
    fc.property(answer, answer, (first, second) => {
      const { domain, slot } = first;
      const later = { ...second, domain, slot };
      const { expires, ...kept } = first;
      const isSaidAnew = later.acknowledged !== undefined && later.expires === undefined;
      const [{ expires: end, ...one }, other] = [
        encodeAnswerFields(first),
        encodeAnswerFields(later),
      ];
      expect(droppedAnswerFields(later)).toEqual(isSaidAnew ? ["expires"] : []);
      const fields = isSaidAnew || end === undefined ? one : { ...one, expires: end };
      const item = { ...answerKey(domain, slot), ...fields, ...other };
      const ends = isSaidAnew || expires === undefined ? {} : { expires };
      expect(decodeAnswer(item)).toEqual({ ...kept, ...ends, ...later });
    }),
  );
});

test.each<[string, Item]>([
  ["no JSON", { record: { S: "{" } }],
  ["a key that nobody writes", { record: { S: '{"domain":"contoso.test","color":"red"}' } }],
  ["no sequence", { sequence: { S: "1" } }],
])("an item with %s is told with its place", (_, attributes) => {
  const item = { ...encodeRoute(recordOf(routeOf("contoso.test")), 1), ...attributes };
  const reading = () => decodeRoute(item);
  expect(reading).toThrow(StoreError);
  expect(reading).toThrow("contoso.test / route");
});
