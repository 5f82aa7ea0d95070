/** The run that the figures of onboarding are taken from, with few domains. */
import { expect, test, vi } from "vitest";
import { testNet } from "../test-net.ts";
import { startWorld } from "../world.ts";
import { BenchLab } from "./bench-lab.ts";
import { namesOf, onboard } from "./many-domains.ts";
import { timeParts } from "./onboarding-parts.ts";

vi.setConfig({ testTimeout: 300_000 });

test("domains are brought onto the gateway, and what it took is told", async () => {
  await using world = await startWorld({ net: testNet });
  await using lab = await BenchLab.create(world);
  const names = namesOf("few", 2);
  const { seconds, requests, megabytes } = await onboard(lab, names, () => undefined);
  const records = world.cloudflare.commits.flatMap(({ changes }) => changes);
  for (const name of names) {
    const after = { name, type: "MX", content: "smtp-in.gateway.test" };
    expect(records).toContainEqual({ after: expect.objectContaining(after) });
  }
  expect(new Set(requests.map(({ status }) => status))).toEqual(new Set([200]));
  expect(seconds).toBeGreaterThan(0);
  // No program of Node is smaller.
  expect(megabytes).toBeGreaterThan(30);
  const parts = await timeParts(lab, requests);
  expect(parts.sum).toBe(parts.engine + parts.provider + parts.requests);
});
