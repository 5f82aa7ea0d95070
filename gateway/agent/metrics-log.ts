/** Logs once a minute what CloudWatch's alarms look at. A host that says nothing is an alarm by itself. */
import { setTimeout as delay } from "node:timers/promises";
import { type GatewayHostConfig, HOST_PATHS } from "../host-config.ts";
import { metricsLine, type SlotMetrics } from "../metrics.ts";
import { errorText, type Faults } from "./faults.ts";
import { freeShare } from "./health.ts";
import type { Health } from "./monitor.ts";

const EVERY_MILLISECONDS = 60_000;
/** The first look at the host takes a moment. */
const FIRST_MILLISECONDS = 10_000;

const DAY_MILLISECONDS = 86_400_000;

/** Runs until the signal is given; at once over where no log group is configured. */
export async function logMetrics(
  { gateway, slot, store, logGroup, networkTls }: GatewayHostConfig,
  health: () => Health | undefined,
  faults: Faults,
  signal: AbortSignal,
): Promise<void> {
  if (logGroup === undefined) return;
  // Hosts that log nothing need not hold the client in memory.
  const { LogStream } = await import("../../store/log-stream.ts");
  using log = new LogStream({ ...store, group: logGroup, stream: slot });
  const ends = networkTls.expires === undefined ? undefined : Date.parse(networkTls.expires);
  for (let pause = FIRST_MILLISECONDS; !signal.aborted; pause = EVERY_MILLISECONDS) {
    await delay(pause, undefined, { signal }).catch(() => undefined);
    const seen = health();
    if (signal.aborted || seen === undefined) continue;
    const at = new Date(seen.at);
    try {
      const metrics = await metricsOf(seen, ends, at);
      await log.put(at, metricsLine({ gateway, slot, at, metrics, faults: seen.faults }));
      faults.clear("metrics");
    } catch (error) {
      faults.set("metrics", errorText(error));
    }
  }
}

async function metricsOf(
  { healthy, queued, oldestQueuedSeconds, routesAgeSeconds }: Health,
  ends: number | undefined,
  at: Date,
): Promise<Partial<SlotMetrics>> {
  const folders = [HOST_PATHS.state, HOST_PATHS.inboundQueue, HOST_PATHS.relayQueue];
  const shares = await Promise.all(folders.map(freeShare));
  return {
    Healthy: healthy ? 1 : 0,
    ...(queued !== undefined && { QueuedMessages: queued }),
    OldestMessageSeconds: oldestQueuedSeconds,
    ...(routesAgeSeconds !== undefined && { RouteAgeSeconds: routesAgeSeconds }),
    DiskFreePercent: Math.floor(100 * Math.min(...shares)),
    ...(ends !== undefined && {
      CertificateDays: Math.floor((ends - at.getTime()) / DAY_MILLISECONDS),
    }),
  };
}
