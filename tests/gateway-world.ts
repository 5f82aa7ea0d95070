/** A gateway's stack whose instances are hosts with the real Postfix and the real agent, and a tenant's Server. */
import { Resolver } from "node:dns/promises";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { labCredentials, labRegion } from "../lab/aws/moto.ts";
import { queueOf } from "../lab/hosts/fleet-world.ts";
import type { Host } from "../lab/hosts/host.ts";
import { type HostRunner, startRunner } from "../lab/hosts/runner.ts";
import { type MailSystem, startMailSystem } from "../lab/mail-system.ts";
import { composeMessage } from "../lab/message.ts";
import { createSender, type DeliveryReport } from "../lab/sender.ts";
import { transact } from "../lab/smtp-client.ts";
import { testNet as net } from "../lab/test-net.ts";
import { RouteStore } from "../store/route-store.ts";
import { type GatewayLab, startGatewayLab, succeeded } from "./gateway-lab.ts";

export interface GatewayWorld extends AsyncDisposable {
  readonly lab: GatewayLab;
  readonly runner: HostRunner;
  /** The Server of `contoso.test`, whose MX is the gateway. */
  readonly contoso: MailSystem;
  /** Asks the lab's resolver. */
  readonly resolver: Resolver;
}

/** Starts all of it, with an empty account on AWS. */
export async function startGatewayWorld(): Promise<GatewayWorld> {
  await using parts = new AsyncDisposableStack();
  const lab = parts.use(await startGatewayLab());
  const { moto, dns, directory, authority } = lab;
  // The SDK looks for credentials there.
  Object.assign(process.env, {
    AWS_REGION: labRegion,
    AWS_ACCESS_KEY_ID: labCredentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: labCredentials.secretAccessKey,
  });
  const runner = parts.use(await startRunner({ moto, dns, net, directory, authority }));
  const contoso = parts.use(await startContoso(lab));
  const resolver = new Resolver();
  resolver.setServers([dns.resolver]);
  const owned = parts.move();
  const dispose = () => owned.disposeAsync();
  return { lab, runner, contoso, resolver, [Symbol.asyncDispose]: dispose };
}

async function startContoso({ dns, authority }: GatewayLab): Promise<MailSystem> {
  const name = "mail.contoso.test";
  const domain = "contoso.test";
  const address = `${net}.2.1`;
  await dns.addZone(domain);
  await dns.publish(domain, [
    { name: domain, type: "MX", ttl: 60, records: ["10 smtp-in.gateway.test."] },
    { name, type: "A", ttl: 60, records: [address] },
  ]);
  const certificate = await authority.issue(name);
  return startMailSystem({ name, address, certificate, domains: [domain] });
}

const outputs = z.object({
  routeStore: z.object({ table: z.string(), secretPrefix: z.string(), keyId: z.string() }),
  addresses: z.record(z.string(), z.object({ inbound: z.string(), relay: z.string() })),
});

export async function stackOutputs({ lab }: GatewayWorld): Promise<z.output<typeof outputs>> {
  const { stdout } = await succeeded(lab.run(["stack", "output", "--json"]));
  return outputs.parse(JSON.parse(stdout));
}

export async function openRouteStore(world: GatewayWorld): Promise<RouteStore> {
  const { routeStore } = await stackOutputs(world);
  return new RouteStore({ ...routeStore, region: labRegion, endpoint: world.lab.moto.url });
}

/** The ids of the instances that run, by slot, in the order of the slots. */
export function instancesBySlot({ runner }: GatewayWorld): ReadonlyMap<string, string> {
  const pairs = runner.instances.map(({ id, tags }) => [tags["mxhero:slot"] ?? "", id] as const);
  return new Map(pairs.toSorted(([one], [other]) => one.localeCompare(other)));
}

/** How many messages are in a slot's inbound queue. */
export async function queuedAt(world: GatewayWorld, slot: string): Promise<number> {
  return (await queueOf({ host: hostOf(world, slot) }, "postfix-in")).length;
}

/** Has Postfix try at once what it has put off. */
export async function flushQueue(world: GatewayWorld, slot: string): Promise<void> {
  await hostOf(world, slot).run(["postqueue", "-c", "/etc/postfix-in", "-f"]);
}

function hostOf({ runner }: GatewayWorld, slot: string): Host {
  return runner.instance("mxhero:slot", slot).host;
}

/** What a server says to a client that says no more than QUIT. */
export async function greetingOf(address: string): Promise<string> {
  const socket = connect({ host: address, port: 25 });
  // Earlier than the greeting it would be taken for a robot's.
  socket.once("data", (greeting) => {
    socket.unshift(greeting);
    socket.end("QUIT\r\n");
  });
  return text(socket);
}

const sender = { name: "mx.sender.test", address: `${net}.4.1` };
const to = "info@contoso.test";

/** One letter to contoso, to one address of the gateway. */
export function sendTo(address: string, id: string) {
  const from = "ann@sender.test";
  return transact({
    address,
    localAddress: sender.address,
    name: sender.name,
    sender: from,
    recipient: to,
    content: composeMessage({ id, from, to, subject: id }),
  });
}

/** Sends letters to contoso as every mail server does, until it is told to stop. */
export function sendAllTheTime({ lab }: GatewayWorld) {
  const letters = createSender({ ...sender, resolver: lab.dns.resolver });
  const reports: DeliveryReport[] = [];
  const end = new AbortController();
  const keepSending = async () => {
    while (!end.signal.aborted) reports.push(await letters.send({ to }));
  };
  const sending = keepSending();
  return {
    stop: async (): Promise<readonly DeliveryReport[]> => {
      end.abort();
      await sending;
      return reports;
    },
  };
}

/** Letters to contoso at one address of the gateway, and what became of each. */
export interface CachedSending {
  /** The ids of those that were accepted. */
  readonly accepted: readonly string[];
  /** What was said to the others. */
  readonly refused: readonly string[];
  stop(): Promise<void>;
}

/** Sends letters to one address of the gateway, whatever DNS says by now, until it is told to stop. */
export function keepSendingTo(address: string): CachedSending {
  const accepted: string[] = [];
  const refused: string[] = [];
  const end = new AbortController();
  const keepSending = async () => {
    for (let number = 0; !end.signal.aborted; number += 1) {
      const id = `cached-${address}-${number}`;
      const { outcome, reply } = await sendTo(address, id);
      if (outcome === "delivered") accepted.push(id);
      else refused.push(reply);
      await sleep(100);
    }
  };
  const sending = keepSending();
  return {
    accepted,
    refused,
    stop: async () => {
      end.abort();
      await sending;
    },
  };
}
