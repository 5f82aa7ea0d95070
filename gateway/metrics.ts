/** What a slot measures once a minute, and how CloudWatch reads it out of a line of its log. Pure. */

/** The namespace of the metrics in CloudWatch. */
export const METRIC_NAMESPACE = "mxHERO/Gateway";

export interface SlotMetrics {
  /** 1 or 0. */
  readonly Healthy: number;
  readonly QueuedMessages: number;
  /** Of the oldest message in a queue; 0 where there is none. */
  readonly OldestMessageSeconds: number;
  /** Since when the route store could not be read. */
  readonly RouteAgeSeconds: number;
  /** Of the fuller disk. */
  readonly DiskFreePercent: number;
  /** Until the certificate ends. */
  readonly CertificateDays: number;
}

export type SlotMetric = keyof SlotMetrics;

export interface MetricsLine {
  readonly gateway: string;
  readonly slot: string;
  readonly at: Date;
  readonly metrics: Partial<SlotMetrics>;
  /** What is wrong, in words. */
  readonly faults: readonly string[];
}

/** One line of JSON (docs.aws.amazon.com: CloudWatch embedded metric format specification). */
export function metricsLine({ gateway, slot, at, metrics, faults }: MetricsLine): string {
  return JSON.stringify({
    _aws: {
      Timestamp: at.getTime(),
      CloudWatchMetrics: [
        {
          Namespace: METRIC_NAMESPACE,
          Dimensions: [["Gateway", "Slot"]],
          Metrics: Object.keys(metrics).map((Name) => ({ Name })),
        },
      ],
    },
    Gateway: gateway,
    Slot: slot,
    ...metrics,
    faults,
  });
}
