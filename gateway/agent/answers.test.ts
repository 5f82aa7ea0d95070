import { expect, test } from "vitest";
import type { SlotAnswer } from "../../mail/route.ts";
import { Answers } from "./answers.ts";

/** Takes what it is told, unless it is away. */
function makeStore() {
  const told: SlotAnswer[] = [];
  const store = {
    isAway: false,
    told,
    putAnswer: async (answer: SlotAnswer) => {
      if (store.isAway) throw new Error("away");
      told.push(answer);
    },
  };
  return store;
}

async function running(
  store: ReturnType<typeof makeStore>,
  work: (answers: Answers) => Promise<void>,
) {
  const stop = new AbortController();
  const answers = new Answers(store, "a", () => undefined);
  const run = answers.run(stop.signal);
  await work(answers);
  stop.abort();
  await run;
}

const last = { at: "2026-11-26T12:00:00.000Z", from: "192.0.2.7" };

test("an answer reaches the store, with the slot", async () => {
  const store = makeStore();
  await running(store, async (answers) => {
    answers.put({ domain: "a.test", acknowledged: 1 });
    await expect.poll(() => store.told).toEqual([{ domain: "a.test", slot: "a", acknowledged: 1 }]);
    answers.put({ domain: "b.test", acknowledged: 2 });
    await expect.poll(() => store.told.length).toBe(2);
  });
});

test("what the store does not take is kept, newest field by field, and told later", async () => {
  const store = makeStore();
  store.isAway = true;
  await running(store, async (answers) => {
    answers.put({ domain: "a.test", acknowledged: 1, lastInbound: last });
    await expect.poll(() => answers.waiting).toBe(1);
    answers.put({ domain: "a.test", acknowledged: 2 });
    store.isAway = false;
    await expect
      .poll(() => store.told)
      .toEqual([{ domain: "a.test", slot: "a", acknowledged: 2, lastInbound: last }]);
  });
});

test("what tells of outbound mail is known as untold until the store has taken it", async () => {
  const store = makeStore();
  store.isAway = true;
  await running(store, async (answers) => {
    expect(answers.outboundSince).toBe(Infinity);
    answers.put({ domain: "a.test", acknowledged: 1 });
    expect(answers.outboundSince).toBe(Infinity);
    answers.put({ domain: "a.test", lastInbound: last }, 1_000);
    answers.put({ domain: "b.test", lastInbound: last }, 2_000);
    answers.put({ domain: "a.test", lastOutbound: last }, 3_000);
    expect(answers.outboundSince).toBe(1_000);
    await expect.poll(() => answers.waiting).toBe(2);
    expect(answers.outboundSince).toBe(1_000);
    store.isAway = false;
    await expect.poll(() => answers.outboundSince).toBe(Infinity);
    expect(store.told.map(({ domain }) => domain).toSorted()).toEqual(["a.test", "b.test"]);
  });
});

test("the backlog is told, too, and what is new does not wait for it", async () => {
  const store = makeStore();
  const domains = Array.from({ length: 200 }, (_, index) => `d${index}.test`);
  await running(store, async (answers) => {
    answers.putLater(domains.map((domain) => ({ domain, acknowledged: 1 })));
    answers.put({ domain: "new.test", acknowledged: 1 });
    await expect.poll(() => store.told.length).toBe(201);
    expect(store.told.findIndex(({ domain }) => domain === "new.test")).toBeLessThan(20);
  });
});
