/** The host's health, looked at every few seconds: for `/health`, and for the heartbeat in the store. */
import type { SlotClosing, SlotReport } from "../../mail/route.ts";
import { type GatewayHostConfig, HOST_PATHS } from "../host-config.ts";
import type { Faults } from "./faults.ts";
import { askPolicy, type Check, check, readBanner, readDisk, readQueues } from "./health.ts";
import { INSTANCES_IN_ORDER, type QueueState } from "./postfix-commands.ts";

/** What the agent knows of its own work. */
export interface SyncState {
  readonly isReady: boolean;
  readonly lastContact: Date | undefined;
  readonly routes: number;
}

export interface Health {
  readonly slot: string;
  readonly bundle: string;
  /** When it was looked at. ISO 8601, UTC, as all instants here. */
  readonly at: string;
  /** Whether the host does its work. Without the store it does, with the routes that it has. */
  readonly healthy: boolean;
  /** What is wrong, the store's absence included. */
  readonly faults: readonly string[];
  readonly checks: readonly Check[];
  readonly routes: number;
  /** When the store last answered; missing: not since the start. */
  readonly storeContact?: string;
  /** Since when it has not; missing: it answers. */
  readonly storeAwaySince?: string;
  /** How old the routes may be, in seconds: since when the store has not been read. */
  readonly routesAgeSeconds?: number;
  /** Messages in the queues of both instances; missing: a queue could not be read. */
  readonly queued?: number;
  readonly oldestQueuedSeconds: number;
  /** The stack takes the slot away; missing: it takes mail. */
  readonly closing?: SlotClosing;
}

export interface MonitorOptions {
  readonly config: GatewayHostConfig;
  readonly faults: Faults;
  readonly syncState: () => SyncState;
  readonly closing: () => SlotClosing | undefined;
  /** Told what the relay instance's queue holds, where it could be read. @param instant in milliseconds */
  readonly onRelayQueue: (queue: QueueState, instant: number) => void;
}

/** Looks at everything once. Never throws. */
export async function lookAtHost(options: MonitorOptions): Promise<Health> {
  const { config, faults, syncState } = options;
  const now = new Date();
  // Before the queues: what is in them after the slot was closed is all that there will be.
  const closing = options.closing();
  const [{ queues, checks: queueChecks }, ...others] = await Promise.all([
    readQueues(INSTANCES_IN_ORDER),
    check("inbound banner", () => readBanner(config.inbound.address, config.smtpIn)),
    check("relay banner", () => readBanner(config.relay.address, config.smtpRelay)),
    check("policy service", () => askPolicy(HOST_PATHS.policySocket)),
    check("disk", () =>
      readDisk([HOST_PATHS.state, HOST_PATHS.inboundQueue, HOST_PATHS.relayQueue]),
    ),
  ]);
  const relayQueue = queues.find(({ instance }) => instance === HOST_PATHS.relayInstance);
  if (relayQueue !== undefined) options.onRelayQueue(relayQueue, now.getTime());
  const checks = [...others, ...queueChecks];
  const { isReady, lastContact, routes } = syncState();
  const storeAwaySince = faults.since("store");
  const failing = checks.filter(({ well }) => !well).map(({ name, seen }) => `${name}: ${seen}`);
  return {
    slot: config.slot,
    bundle: config.bundle,
    at: now.toISOString(),
    healthy: isReady && failing.length === 0,
    faults: [...failing, ...faults.list()],
    checks,
    routes,
    ...(lastContact && {
      storeContact: lastContact.toISOString(),
      routesAgeSeconds: Math.round((now.getTime() - lastContact.getTime()) / 1000),
    }),
    ...(storeAwaySince !== undefined && { storeAwaySince }),
    ...(queues.length === INSTANCES_IN_ORDER.length && {
      queued: queues.reduce((sum, { messages }) => sum + messages, 0),
    }),
    oldestQueuedSeconds: Math.max(0, ...queues.map(({ oldestSeconds }) => oldestSeconds)),
    ...(closing && { closing }),
  };
}

/** The part of it that the store is told. @param toldUntil until when all outbound mail is told there */
export function toReport(health: Health, toldUntil: Date): SlotReport {
  const { slot, bundle, healthy, faults, queued, closing, at } = health;
  return {
    slot,
    heartbeat: at,
    bundle,
    healthy,
    faults,
    toldUntil: toldUntil.toISOString(),
    ...(queued !== undefined && { queued }),
    ...(closing && { closing }),
  };
}
