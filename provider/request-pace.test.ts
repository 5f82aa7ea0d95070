import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { RequestPace } from "./request-pace.ts";

/** A pace with a clock that the test moves, in seconds. */
function paceAt(share: number) {
  let now = 1_000_000;
  const pace = new RequestPace(share, () => now * 1000);
  return {
    pace,
    pass: (seconds: number) => {
      now += seconds;
    },
    send: (requests: number) => {
      for (let sent = 0; sent < requests; sent += 1) pace.count();
    },
    answer: (status: number, headers: Readonly<Record<string, string>>) =>
      pace.learn({ status, headers: new Headers(headers) }),
  };
}

describe("without a word of Cloudflare", () => {
  test("the documented limit of a token holds: 1,200 in five minutes, of which the share is used", () => {
    const { pace, send, pass } = paceAt(0.5);
    send(100);
    pass(2);
    for (let batch = 0; batch < 5; batch += 1) {
      send(99);
      pass(2);
    }
    expect(pace.readWait).toBe(0);
    send(5);
    // The first 100 were sent 12 s ago, and stay in the span for 288 s more.
    expect(pace.readWait).toBe(288_000);
    pass(288);
    expect(pace.readWait).toBe(0);
  });

  test("the documented limit of an address holds: 200 in a second", () => {
    const { pace, send, pass } = paceAt(1);
    send(199);
    expect(pace.readWait).toBe(0);
    send(1);
    expect(pace.readWait).toBe(1000);
    pass(1);
    expect(pace.readWait).toBe(0);
  });

  test("however the reads come, no span of five minutes has more than the share", () => {
    const pauses = fc.array(fc.integer({ min: 0, max: 20_000 }), { minLength: 50, maxLength: 400 });
    fc.assert(
      fc.property(pauses, fc.integer({ min: 1, max: 120 }), (between, allowed) => {
        let now = 0;
        const pace = new RequestPace(allowed / 1200, () => now);
        const sent: number[] = [];
        for (const milliseconds of between) {
          now += milliseconds;
          now += pace.readWait;
          expect(pace.readWait).toBe(0);
          pace.count();
          sent.push(now);
        }
        const most = Math.max(
          ...sent.map((start) => sent.filter((t) => t >= start && t < start + 300_000).length),
        );
        expect(most).toBeLessThanOrEqual(allowed);
      }),
    );
  });

  test("a share that is less than one request is one request", () => {
    const { pace, send } = paceAt(0.0001);
    expect(pace.readWait).toBe(0);
    send(1);
    expect(pace.readWait).toBe(300_000);
  });
});

describe("what Cloudflare says", () => {
  const policy = '"default";q=1200;w=300';

  test("reads wait until the window's end once only a tenth is left, whoever has used the rest", () => {
    const { pace, answer, pass } = paceAt(0.8);
    answer(200, { ratelimit: '"default";r=121;t=30', "ratelimit-policy": policy });
    expect(pace.readWait).toBe(0);
    pace.count();
    expect(pace.readWait).toBe(30_000);
    pass(30);
    expect(pace.readWait).toBe(0);
  });

  test("a raised limit is used, in its window", () => {
    const { pace, answer, send, pass } = paceAt(0.5);
    answer(200, { "ratelimit-policy": '"default";q=300;w=10' });
    send(99);
    pass(2);
    send(50);
    expect(pace.readWait).toBe(0);
    send(1);
    expect(pace.readWait).toBe(8000);
  });

  test("of several limits the one that is nearest counts", () => {
    const { pace, answer } = paceAt(0.8);
    answer(200, {
      ratelimit: '"default";r=900;t=200, "burst";r=10;t=7',
      "ratelimit-policy": `${policy}, "burst";q=100;w=60`,
    });
    expect(pace.readWait).toBe(7000);
  });

  test("429 blocks for as long as it says", () => {
    const { pace, answer, pass } = paceAt(0.8);
    answer(429, { "retry-after": "300" });
    expect(pace.blockedFor).toBe(300_000);
    expect(pace.readWait).toBe(300_000);
    pass(300);
    expect(pace.blockedFor).toBe(0);
    expect(pace.readWait).toBe(0);
  });

  test.each([{}, { "retry-after": "soon" }, { "retry-after": "-1" }])(
    "429 with %j blocks for a moment",
    (headers) => {
      const { pace, answer } = paceAt(0.8);
      answer(429, headers);
      expect(pace.blockedFor).toBe(5000);
    },
  );

  test("what cannot be read says nothing", () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[!-~]*$/), (text) => {
        const { pace, answer } = paceAt(0.8);
        answer(200, { ratelimit: text, "ratelimit-policy": text });
        expect(pace.readWait).toBe(0);
      }),
    );
  });
});
