import { expect, test } from "vitest";
import { chart } from "./chart.ts";
import { type Arrival, account, type Sending } from "./ledger.ts";
import type { SoakResult } from "./run-soak.ts";

const spf = { seen: "pass", direct: "pass" } as const;

function arrival(index: number, path: Arrival["path"]): Arrival {
  return { id: `${path}-${index}`, at: 1000 * index, owner: "contoso", path, spf };
}

/** Of 100 s: a message a second by each path, the gateway's in the second half only. */
function exampleSoak(): SoakResult {
  const seconds = Array.from({ length: 100 }, (_, index) => index);
  const arrivals = [
    ...seconds.map((index) => arrival(index, "direct")),
    ...seconds.slice(50).map((index) => arrival(index, "gateway")),
  ];
  const sendings = arrivals.map(
    ({ id, at }): Sending => ({
      id,
      direction: "in",
      tenant: "contoso",
      sender: "ordinary",
      owner: "contoso",
      unknownUser: false,
      begun: at,
    }),
  );
  return {
    cycles: 1,
    tenants: ["contoso", "fabrikam"],
    began: 0,
    ended: 100_000,
    phases: [
      { tenant: "contoso", phase: "going on", at: 0 },
      { tenant: "fabrikam", phase: "going on", at: 0 },
      { tenant: "contoso", phase: "on the gateway", at: 50_000 },
    ],
    account: account(sendings, arrivals, { bounced: new Set(), queued: new Set() }),
  };
}

/** The attributes of every element of that name. */
function elements(svg: string, name: string): Record<string, string>[] {
  return [...svg.matchAll(new RegExp(`<${name} ([^>]*?)/?>`, "g"))].map(([, text = ""]) =>
    Object.fromEntries(
      [...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, key = "", value = ""]) => [key, value]),
    ),
  );
}

test("each path is an area over the whole time, and each tenant's phases fill its row", () => {
  const svg = chart(exampleSoak());
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  expect(svg).toContain("150 messages, 0 lost");
  const [direct, gateway, ...more] = elements(svg, "polygon");
  expect(more).toEqual([]);
  const heights = (gateway?.["points"] ?? "")
    .split(" ")
    .map((point) => Number(point.split(",")[1]));
  const directHeights = (direct?.["points"] ?? "")
    .split(" ")
    .map((point) => Number(point.split(",")[1]));
  // The gateway's area lies on the direct one: of no height in the first half.
  expect(heights.slice(0, 59)).toEqual(directHeights.slice(0, 59));
  expect(Math.min(...heights.slice(60, 120))).toBeLessThan(Math.min(...directHeights));
  const bars = elements(svg, "rect").filter(({ height }) => height === "12");
  const rows = Map.groupBy(
    bars.filter(({ x }) => Number(x) >= 90),
    ({ y }) => y,
  );
  const widths = [...rows.values()].map((row) => row.map(({ width }) => Number(width)));
  expect(widths).toContainEqual([425, 425]);
  expect(widths).toContainEqual([850]);
});
