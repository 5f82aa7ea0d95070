/** What the gateway's figures are measured on: a slot of a fleet, a bare Postfix, and a load of mail. */
import { setTimeout as sleep } from "node:timers/promises";
import { BatchWriteItemCommand, DynamoDBClient, PutItemCommand } from "@aws-sdk/client-dynamodb";
import { HEALTH_PORT } from "../../gateway/host-config.ts";
import type { Route } from "../../mail/route.ts";
import { encodeRoute, sequenceItem } from "../../store/item.ts";
import { labCredentials } from "../aws/moto.ts";
import { type Fleet, type FleetSlot, startFleet } from "../hosts/fleet.ts";
import { exampleRoute } from "../hosts/fleet-world.ts";
import { SmtpDialogue } from "../smtp-dialogue.ts";
import type { Say } from "../step.ts";
import type { World } from "../world.ts";
import { startBareRelay } from "./bare-relay.ts";
import { MailLoad } from "./mail-load.ts";

const net = "127.2";
const inside = "10.2.9";
const bareAddress = `${inside}.2`;
const domain = "tenant0.test";
const outside = "outside.test";

/** All of the load comes from one client. It is counted, and never too much. */
const clientLimits = { messages: 1_000_000, recipients: 1_000_000 };

/** Ends once the agent of the host says that all is well there. */
const untilWell = `
const isWell = () => fetch("http://127.0.0.1:${HEALTH_PORT}/health").then(({ ok }) => ok, () => false);
(async () => {
  while (!(await isWell())) await new Promise((resolve) => setTimeout(resolve, 50));
})();`;

/** The agent tells of 200 routes in a second; the emulated store takes fewer. */
const TOLD_WITHIN_MINUTES = 25;
/** Of so many routes it is asked whether the agent has told the store of them. */
const SAMPLES = 21;

/** DynamoDB's bound of one request (BatchWriteItem). */
const BATCH = 25;

export class GatewayBench implements AsyncDisposable {
  readonly #parts: AsyncDisposableStack;
  readonly #fleet: Fleet;
  readonly #load: MailLoad;
  #routes = 1;
  #changes = 0;
  /** Highest memory of the agent with one route, in MB. */
  readonly firstMemory: Promise<number>;

  private constructor(parts: AsyncDisposableStack, fleet: Fleet, load: MailLoad) {
    this.#parts = parts;
    this.#fleet = fleet;
    this.#load = load;
    this.firstMemory = this.agentMemory();
  }

  static async start({ directory, dns, authority }: World): Promise<GatewayBench> {
    await using parts = new AsyncDisposableStack();
    const base = { directory, resolver: dns.resolver };
    const load = parts.use(
      await MailLoad.start({ ...base, name: "load", addresses: [{ private: `${inside}.1` }] }),
    );
    parts.use(
      await startBareRelay({
        ...base,
        name: "bare",
        addresses: [{ private: bareAddress, public: `${net}.9.2` }],
        domain,
        server: load.address,
      }),
    );
    const fleet = parts.use(
      await startFleet({ ...base, net, authority, slots: 1, queueMegabytes: 256, clientLimits }),
    );
    // The world outside is the load's host, too.
    await dns.addZone(outside);
    await dns.publish(outside, [
      { name: outside, type: "MX", ttl: 300, records: [`10 mx.${outside}.`] },
      { name: `mx.${outside}`, type: "A", ttl: 300, records: [load.address] },
    ]);
    await fleet.activate([tenant(0, load.address)]);
    return new GatewayBench(parts.move(), fleet, load);
  }

  /** Messages per second to a tenant's Server. */
  readonly inbound = (messages: number): Promise<number> => {
    const address = this.#slot.inbound.private;
    const mail = { address, sender: `someone@${outside}`, recipient: `postmaster@${domain}` };
    return this.#load.measure(mail, messages);
  };

  /** Messages per second from a tenant's mail system to the world. */
  readonly relay = (messages: number): Promise<number> => {
    const address = this.#slot.relay.private;
    const mail = { address, sender: `postmaster@${domain}`, recipient: `someone@${outside}` };
    return this.#load.measure(mail, messages);
  };

  /** What a bare relay does with mail to a domain that it has the host of. */
  readonly bareInbound = (messages: number): Promise<number> => {
    const address = bareAddress;
    const mail = { address, sender: `someone@${outside}`, recipient: `postmaster@${domain}` };
    return this.#load.measure(mail, messages);
  };

  /** What a bare relay does with mail from its network to the world, by MX. */
  readonly bareRelay = (messages: number): Promise<number> => {
    const address = bareAddress;
    const mail = { address, sender: `postmaster@${domain}`, recipient: `someone@${outside}` };
    return this.#load.measure(mail, messages);
  };

  /**
   * Makes it so many routes. They are written in bulk, past the rules of a single write, and so the agent has to
   * read all anew: it is started again.
   */
  async fillTo(routes: number, say: Say): Promise<void> {
    if (routes <= this.#routes) return;
    const { endpoint, region, table } = this.#fleet.storeOptions;
    const client = new DynamoDBClient({ endpoint, region, credentials: labCredentials });
    for (let first = this.#routes; first < routes; first += BATCH) {
      const numbers = Array.from({ length: Math.min(BATCH, routes - first) }, (_, i) => first + i);
      const items = numbers.map((number) => item(tenant(number, this.#load.address), number + 1));
      const requests = items.map((Item) => ({ PutRequest: { Item } }));
      await client.send(new BatchWriteItemCommand({ RequestItems: { [table]: requests } }));
      if (first % 10_000 < BATCH) say(`${first} of ${routes} routes are in the store`);
    }
    const last = { TableName: table, Item: sequenceItem(routes) };
    await client.send(new PutItemCommand(last));
    client.destroy();
    this.#routes = routes;
    say("the agent reads them");
    await this.timeColdStart();
    await this.#untilTold(say);
  }

  /** The agent tells the store bit by bit which routes it has: a load that mail does not cause. */
  async #untilTold(say: Say): Promise<void> {
    const end = performance.now() + TOLD_WITHIN_MINUTES * 60_000;
    const spread = Array.from({ length: SAMPLES }, (_, i) =>
      Math.floor((i * (this.#routes - 1)) / (SAMPLES - 1)),
    );
    const isTold = async (number: number) => {
      const { answers } = await this.#fleet.store.readDomain(tenant(number, "").domain);
      return answers.some(({ acknowledged }) => acknowledged !== undefined);
    };
    for (;;) {
      const told = (await Promise.all(spread.map(isTold))).filter(Boolean).length;
      if (told === SAMPLES) return;
      if (performance.now() > end) throw new Error(`The agent has told of ${told} of ${SAMPLES}.`);
      const percent = Math.floor((told * 100) / SAMPLES);
      say(`the agent tells the store which it has: ${percent} %, up to ${TOLD_WITHIN_MINUTES} min`);
      await sleep(20_000);
    }
  }

  /** Milliseconds that a program needs to read all routes from the store. */
  async timeReading(): Promise<number> {
    const start = performance.now();
    let count = 0;
    const { pages } = await this.#fleet.store.allRoutes();
    for await (const page of pages) count += page.length;
    if (count < this.#routes) throw new Error(`Only ${count} of ${this.#routes} routes were read.`);
    return performance.now() - start;
  }

  /** Milliseconds from the agent's start, on a disk without any route, until it is well. */
  async timeColdStart(): Promise<number> {
    const { host } = this.#slot;
    await host.run(["systemctl", "stop", "mxhero-gateway"]);
    await host.run([
      "sh",
      "-c",
      "rm -rf /var/lib/mxhero-gateway/maps/* /var/lib/mxhero-gateway/state/*",
    ]);
    const start = performance.now();
    await host.run(["systemctl", "start", "mxhero-gateway"]);
    // One program that asks over and over: to start one for each question would take the agent's time.
    await host.run(["/opt/mxhero-gateway/node", "--eval", untilWell]);
    return performance.now() - start;
  }

  /** Milliseconds from a route's write until smtp-in accepts mail for its domain. */
  async timeChange(): Promise<number> {
    this.#changes += 1;
    const route = tenant(this.#changes, this.#load.address, "change");
    const active = { version: 1, route };
    const content = { domain: route.domain, holder: holderOf(route), active };
    await this.#fleet.store.writeRoute(content, undefined);
    const start = performance.now();
    while (!(await this.#accepts(route.domain))) await sleep(20);
    return performance.now() - start;
  }

  /** In a session of its own: Postfix ends one in which many recipients were refused. */
  async #accepts(name: string): Promise<boolean> {
    const address = this.#slot.inbound.private;
    await using session = await SmtpDialogue.open({ address, localAddress: `${net}.4.1` });
    await session.hello();
    const { rcpt } = await session.ask(`someone@${outside}`, `postmaster@${name}`);
    return rcpt.startsWith("250");
  }

  /** The highest memory of the agent since its start, in MB. */
  async agentMemory(): Promise<number> {
    const script = `grep VmHWM /proc/$(pgrep -f 'agent.js run' | head -1)/status`;
    const shown = await this.#slot.host.run(["sh", "-c", script]);
    const kilobytes = Number(/(\d+) kB/.exec(shown)?.[1]);
    if (!Number.isFinite(kilobytes)) throw new Error(`No memory of the agent is shown: ${shown}`);
    return kilobytes / 1024;
  }

  get #slot(): FleetSlot {
    const [slot] = this.#fleet.slots;
    if (slot === undefined) throw new Error("The fleet has no slot.");
    return slot;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#parts.disposeAsync();
  }
}

function tenant(number: number, server: string, name = "tenant"): Route {
  return exampleRoute(`${name}${number}.test`, {
    server,
    // Only the first one sends: an identity belongs to one organisation.
    ...(number === 0 && name === "tenant"
      ? { outbound: "standard", identities: [{ kind: "network", network: `${inside}.1/32` }] }
      : {}),
  });
}

function item(route: Route, sequence: number) {
  const active = { version: 1, route };
  const record = { domain: route.domain, holder: holderOf(route), revision: 1, active };
  return encodeRoute(record, sequence);
}

function holderOf({ domain: organisation }: Route) {
  return { organisation, claims: [`${organisation}.1`] };
}
