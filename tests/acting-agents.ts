/**
 * Stands in for the agents where a test is about the engine's order and not about mail: every instance that
 * AWS's API says is running reports through the route store what its user data tells it to.
 */
import { setTimeout as sleep } from "node:timers/promises";
import * as ec2 from "@aws-sdk/client-ec2";
import { z } from "zod";
import { labCredentials, labRegion, type Moto } from "../lab/aws/moto.ts";
import type { SlotReport } from "../mail/route.ts";
import { RouteStore } from "../store/route-store.ts";

export interface ActingAgents extends AsyncDisposable {
  /** What a slot's next reports say, beside what its user data says. */
  readonly says: Map<string, Partial<SlotReport>>;
  /** The instances that run, by slot. */
  readonly instances: Map<string, string>;
}

const told = z.object({
  slot: z.string(),
  bundle: z.string(),
  store: z.object({ table: z.string(), region: z.string(), secretPrefix: z.string() }),
});

export function startActingAgents(moto: Moto): ActingAgents {
  const api = new ec2.EC2Client({
    endpoint: moto.url,
    region: labRegion,
    credentials: labCredentials,
  });
  const says: ActingAgents["says"] = new Map();
  const instances: ActingAgents["instances"] = new Map();
  const end = new AbortController();
  const act = async () => {
    while (!end.signal.aborted) {
      await reportAll(api, moto, says, instances).catch(() => undefined);
      await sleep(500);
    }
  };
  const acting = act();
  return {
    says,
    instances,
    [Symbol.asyncDispose]: async () => {
      end.abort();
      await acting;
      api.destroy();
    },
  };
}

async function reportAll(
  api: ec2.EC2Client,
  moto: Moto,
  says: ActingAgents["says"],
  instances: ActingAgents["instances"],
): Promise<void> {
  const running = [{ Name: "instance-state-name", Values: ["running"] }];
  const { Reservations = [] } = await api.send(
    new ec2.DescribeInstancesCommand({ Filters: running }),
  );
  const found = new Map<string, string>();
  for (const { InstanceId = "" } of Reservations.flatMap(({ Instances = [] }) => Instances)) {
    const { UserData } = await api.send(
      new ec2.DescribeInstanceAttributeCommand({ InstanceId, Attribute: "userData" }),
    );
    const script = Buffer.from(UserData?.Value ?? "", "base64").toString();
    const [, text = "{}"] = /<<'CONFIGURATION'\n([^]*?)\nCONFIGURATION\n/.exec(script) ?? [];
    const { slot, bundle, store } = told.parse(JSON.parse(text));
    found.set(slot, InstanceId);
    using routes = new RouteStore({ ...store, endpoint: moto.url });
    const mark = await routes.closingMark(slot);
    await routes.putReport({
      slot,
      bundle,
      heartbeat: new Date().toISOString(),
      healthy: true,
      faults: [],
      queued: 0,
      ...(mark !== undefined && { closing: { mark, isClosed: true } }),
      ...says.get(slot),
    });
  }
  instances.clear();
  for (const [slot, id] of found) instances.set(slot, id);
}
