/** Where the crash matrix lives with acted slots. */

import { expect, test } from "vitest";
import { startMoto } from "../lab/aws/moto.ts";
import { createRouteTable, type LabRouteStore } from "../lab/aws/route-table.ts";
import { startMailSystem } from "../lab/mail-system.ts";
import { testNet } from "../lab/test-net.ts";
import { RouteStore } from "../store/route-store.ts";
import {
  chosenStyles,
  liveUndisturbed,
  type Matrix,
  triesAll,
  tryAllPoints,
} from "./crash-matrix.ts";
import type { Damage } from "./crash-strikes.ts";
import { preparePlace } from "./crash-tenant.ts";
import { tracesOf } from "./crash-traces.ts";
import { startTenantLab } from "./tenant.ts";
import { startAgents, startReports } from "./test-agents.ts";

export interface ActedPlace extends AsyncDisposable {
  readonly matrix: Matrix;
  readonly options: LabRouteStore;
}

const SLOTS = ["a", "b"];

export async function startActedPlace(): Promise<ActedPlace> {
  await using parts = new AsyncDisposableStack();
  const lab = parts.use(await startTenantLab());
  const { directory, dns } = lab.world;
  const moto = parts.use(await startMoto({ address: `${testNet}.5.1`, directory }));
  const options = await createRouteTable(moto);
  // The SDK looks for credentials there.
  Object.assign(process.env, moto.env);
  const store = parts.use(new RouteStore(options));
  parts.use(await startAgents(store, SLOTS));
  parts.use(startReports(store, SLOTS));
  parts.use(await startMailSystem({ name: "mail.server.test", address: `${testNet}.2.9` }));
  const hosts = ["mx1", "mx2"].map((name) => `${name}.gateway.test`);
  const records = [`${testNet}.1.1`];
  await dns.publish(
    "gateway.test",
    hosts.map((name) => ({ name, type: "A", ttl: 60, records })),
  );
  const { table, region, secretPrefix, keyId } = options;
  const routeStore = { table, region, secretPrefix, keyId, nextHops: "public" };
  const reached = { lab, aws: moto.url, env: moto.env };
  const place = await preparePlace(reached, { slots: SLOTS, routeStore });
  const traces: Matrix["traces"] = (tenant) => tracesOf(place, options, tenant, SLOTS);
  const owned = parts.move();
  return {
    matrix: { place, lanes: 2, traces },
    options,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * A test for each style of life, with the damage before and after every commit, or every second one.
 *
 * @param what happens, in words
 * @param turn which commits, without `npm run crash`: two kinds of damage have the even ones, two the odd
 */
export function testAllPoints(what: string, damage: Damage, turn: "even" | "odd"): void {
  const rest = turn === "odd" ? 1 : 0;
  // Two lives a commit: one is struck before it, one after.
  const isChosen = (life: number) => triesAll() || Math.floor(life / 2) % 2 === rest;
  test.each(chosenStyles())(
    `${what} at every commit of a life that %s`,
    { timeout: 1_800_000 },
    async (style) => {
      await using place = await startActedPlace();
      const { matrix } = place;
      const undisturbed = await liveUndisturbed(matrix, style);
      const { points, failures } = await tryAllPoints(matrix, undisturbed, damage, isChosen);
      console.log(`${what} at ${points} points: ${failures.length} failures`);
      expect(failures).toEqual([]);
      expect(points).toBeGreaterThan(triesAll() ? 30 : 15);
    },
  );
}
