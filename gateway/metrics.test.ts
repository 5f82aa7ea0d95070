import { expect, test } from "vitest";
import { z } from "zod";
import { SLOT_ALARMS } from "../config/gateway-alarms.ts";
import { metricsLine } from "./metrics.ts";

const metrics = {
  Healthy: 1,
  QueuedMessages: 3,
  OldestMessageSeconds: 40,
  RouteAgeSeconds: 0,
  DiskFreePercent: 80,
  CertificateDays: 60,
};

/** What the specification of the embedded metric format asks for. */
const embedded = z.looseObject({
  _aws: z.strictObject({
    Timestamp: z.int(),
    CloudWatchMetrics: z.tuple([
      z.strictObject({
        Namespace: z.string().min(1),
        Dimensions: z.array(z.array(z.string())),
        Metrics: z.array(z.strictObject({ Name: z.string() })),
      }),
    ]),
  }),
});

const line = metricsLine({
  gateway: "example",
  slot: "a",
  at: new Date("2026-11-26T12:00:00.000Z"),
  metrics,
  faults: [],
});

test("every metric and dimension that the line announces is in it", () => {
  const read = embedded.parse(JSON.parse(line));
  const { _aws: announced } = read;
  const [{ Dimensions, Metrics }] = announced.CloudWatchMetrics;
  expect(Dimensions).toEqual([["Gateway", "Slot"]]);
  expect(Metrics.map(({ Name }) => Name)).toEqual(Object.keys(metrics));
  expect(read).toMatchObject({ Gateway: "example", Slot: "a", ...metrics });
});

test("every alarm looks at a metric that is logged", () => {
  const names = SLOT_ALARMS.map(({ metric }) => metric);
  expect(Object.keys(metrics)).toEqual(expect.arrayContaining(names));
});
