import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Arrival, account, faultsOf, type Place, type Sending } from "./ledger.ts";

const nowhere = { bounced: new Set<string>(), queued: new Set<string>() };
const taken = { state: "taken", reply: "250 2.0.0 Ok", attempts: 1 } as const;
const sending: Sending = {
  id: "a",
  direction: "in",
  tenant: "contoso",
  sender: "ordinary",
  owner: "contoso",
  unknownUser: false,
  begun: 0,
  fate: taken,
};
const toNobody: Sending = { ...sending, unknownUser: true };
const arrival: Arrival = {
  id: "a",
  at: 1,
  owner: "contoso",
  path: "direct",
  spf: { seen: "pass", direct: "pass" },
};

test.each<[Place, Sending, readonly Arrival[], Partial<typeof nowhere>]>([
  ["delivered", sending, [arrival], {}],
  // The server took it, but its answer was lost on the way.
  ["delivered", { ...sending, fate: { ...taken, state: "kept" } }, [arrival], {}],
  ["wrong-tenant", sending, [{ ...arrival, owner: "fabrikam" }], {}],
  ["wrong-tenant", sending, [arrival, { ...arrival, owner: "fabrikam" }], {}],
  ["refused", { ...sending, fate: { ...taken, state: "refused" } }, [], {}],
  ["refused", sending, [], { bounced: new Set(["a"]) }],
  ["unknown-user", { ...toNobody, fate: { ...taken, state: "refused" } }, [], {}],
  ["unknown-user", toNobody, [], { bounced: new Set(["a"]) }],
  ["lost", toNobody, [], {}],
  ["given-up", { ...sending, fate: { ...taken, state: "given-up" } }, [], {}],
  ["queued", sending, [], { queued: new Set(["a"]) }],
  ["kept", { ...sending, fate: { ...taken, state: "kept" } }, [], {}],
  ["lost", sending, [], {}],
])("%s", (place, message, arrivals, elsewhere) => {
  const total = account([message], arrivals, { ...nowhere, ...elsewhere });
  expect(total.messages.map((found) => found.place)).toEqual([place]);
  expect(faultsOf(total)).toHaveLength(["delivered", "unknown-user"].includes(place) ? 0 : 1);
});

test("copies beyond the first are duplicates, and no fault", () => {
  const total = account([sending], [arrival, { ...arrival, path: "gateway" }], nowhere);
  expect(total).toMatchObject({ duplicates: 1, places: { delivered: 1 } });
  expect(faultsOf(total)).toEqual([]);
});

test("a report of failure of what arrived is a fault", () => {
  const total = account([sending], [arrival], { ...nowhere, bounced: new Set(["a"]) });
  expect(total).toMatchObject({ falselyBounced: 1, places: { delivered: 1 } });
  expect(faultsOf(total)).toEqual([
    expect.stringMatching(/^1 arrived, and their senders were told/),
  ]);
});

test("a receiver that thinks worse of mail than of direct mail is a fault", () => {
  const verdicts = [
    { seen: "fail", direct: "pass" },
    { seen: "fail", direct: "fail" },
    { seen: "pass", direct: "pass" },
  ] as const;
  const copies = verdicts.map((spf, index) => ({ ...arrival, id: `${index}`, spf }));
  const sendings = copies.map(({ id }) => ({ ...sending, id }));
  const total = account(sendings, copies, nowhere);
  expect(total.spf).toEqual({ "direct: fail": 2, "direct: pass": 1 });
  expect(faultsOf(total)).toEqual([expect.stringMatching(/^1 did not pass SPF .*: 0 \(/)]);
});

const states = fc.constantFrom("taken", "refused", "given-up", "kept");
const owners = fc.constantFrom("contoso", "fabrikam");
const worlds = fc.record({
  fates: fc.array(states, { maxLength: 8 }),
  arrivals: fc.array(fc.record({ id: fc.nat(9), owner: owners }), { maxLength: 12 }),
  bounced: fc.uniqueArray(fc.nat(9)),
  queued: fc.uniqueArray(fc.nat(9)),
});

test("every message is in one place, and each that was not delivered is named as a fault", () => {
  fc.assert(
    fc.property(worlds, ({ fates, arrivals, bounced, queued }) => {
      const sendings = fates.map((state, index) => ({
        ...sending,
        id: String(index),
        fate: { ...taken, state },
      }));
      const copies = arrivals.map(({ id, owner }) => ({ ...arrival, id: String(id), owner }));
      const total = account(sendings, copies, {
        bounced: new Set(bounced.map(String)),
        queued: new Set(queued.map(String)),
      });
      const counted = Object.values(total.places).reduce((sum, count) => sum + count, 0);
      expect(counted).toBe(sendings.length);
      const named = faultsOf(total, sendings.length).join();
      const missing = total.messages.filter(({ place }) => place !== "delivered");
      expect(missing.filter(({ id }) => !named.includes(`${id} (`))).toEqual([]);
      expect(named === "").toBe(missing.length === 0 && total.falselyBounced === 0);
    }),
  );
});
