/** The figures of a gateway host, each beside a bare Postfix or a figure of the same run. */
import type { Say } from "../step.ts";
import type { BenchLab } from "./bench-lab.ts";
import { type Figure, type Measurement, measurePairs, type Pair, quantile } from "./figure.ts";
import type { GatewayBench } from "./gateway-bench.ts";

const pairs = 9;
const messages = 3000;
const changes = 100;
const many = 100_000;

export const gatewayFigures: readonly Figure[] = [
  inboundFigure(1),
  inboundFigure(1000),
  inboundFigure(many),
  {
    name: `gateway-relay-${many}`,
    unit: "messages/s",
    goal: 0.95,
    judged: "ratio-at-least",
    meaning: `mail relayed for one of ${many} tenants, policy service asked; baseline: a bare Postfix relay, by MX as well`,
    measure: (lab, say) => compareThroughput(lab, say, many, relayWays),
  },
  {
    name: "route-change-p99",
    unit: "ms",
    goal: 3000,
    judged: "value-at-most",
    meaning: `from a route's write until smtp-in accepts its domain, 99 of 100, with ${many} routes; baseline: 50 of 100`,
    measure: measureChanges,
  },
  {
    name: `cold-start-${many}`,
    unit: "ms",
    goal: 10_000,
    judged: "value-at-most",
    meaning: `from the agent's start on an empty disk until it is well, with ${many} routes; baseline: reading them from the emulated store`,
    measure: async (lab, say) => {
      const gateway = await lab.gateway();
      await gateway.fillTo(many, say);
      say("reading all routes, then starting the agent without any");
      const baseline = await gateway.timeReading();
      return { value: await gateway.timeColdStart(), baseline };
    },
  },
  {
    name: "agent-memory",
    unit: "MB",
    goal: 256,
    judged: "value-at-most",
    meaning: `the agent's highest memory since its start with ${many} routes; baseline: with one`,
    measure: async (lab, say) => {
      const gateway = await lab.gateway();
      const baseline = await gateway.firstMemory;
      await gateway.fillTo(many, say);
      return { value: await gateway.agentMemory(), baseline };
    },
  },
];

function inboundFigure(tenants: number): Figure {
  return {
    name: `gateway-in-${tenants}`,
    unit: "messages/s",
    goal: 0.95,
    judged: "ratio-at-least",
    meaning: `mail to one of ${tenants} tenants; baseline: a bare Postfix relay`,
    measure: (lab, say) => compareThroughput(lab, say, tenants, inboundWays),
  };
}

/** Two ways of the same mail: messages per second of each. */
type Ways = (
  gateway: GatewayBench,
) => Record<"gateway" | "bare", (count: number) => Promise<number>>;

const inboundWays: Ways = ({ inbound, bareInbound }) => ({ gateway: inbound, bare: bareInbound });
const relayWays: Ways = ({ relay, bareRelay }) => ({ gateway: relay, bare: bareRelay });

/** In turn, so that other work on the machine meets both alike. */
async function compareThroughput(
  lab: BenchLab,
  say: Say,
  tenants: number,
  waysOf: Ways,
): Promise<Measurement> {
  const bench = await lab.gateway();
  await bench.fillTo(tenants, say);
  const { gateway, bare } = waysOf(bench);
  const rates: Pair[] = [];
  for (let pair = 0; pair <= pairs; pair += 1) {
    const rate = { value: await gateway(messages), baseline: await bare(messages) };
    const name = pair === 0 ? "warm-up" : `pair ${pair} of ${pairs}`;
    say(`${name}: ${rate.value.toFixed(0)} messages/s, bare ${rate.baseline.toFixed(0)}`);
    if (pair > 0) rates.push(rate);
  }
  return measurePairs(rates);
}

async function measureChanges(lab: BenchLab, say: Say): Promise<Measurement> {
  const gateway = await lab.gateway();
  await gateway.fillTo(many, say);
  const times: number[] = [];
  for (let change = 1; change <= changes; change += 1) {
    times.push(await gateway.timeChange());
    if (change % 10 === 0) say(`${change} of ${changes} changes`);
  }
  return { value: quantile(times, 0.99), baseline: quantile(times, 0.5) };
}
