/** When a person is called. Pure: the alarms of a slot, from the measures that its agent logs. */
import type { SlotMetric } from "../gateway/metrics.ts";

/** An alarm as CloudWatch takes it (PutMetricAlarm). */
export interface AlarmPlan {
  /** What its name ends with. */
  readonly role: string;
  readonly metric: SlotMetric;
  readonly description: string;
  readonly statistic: "Minimum" | "Maximum";
  readonly comparison: "LessThanThreshold" | "GreaterThanThreshold";
  readonly threshold: number;
  /** Minutes in a row. */
  readonly minutes: number;
  /** `breaching`: silence is an alarm, too. */
  readonly missing: "breaching" | "ignore";
}

export const SLOT_ALARMS: readonly AlarmPlan[] = [
  {
    role: "unhealthy",
    metric: "Healthy",
    description: "The slot is not healthy, or says nothing. The other slots serve.",
    statistic: "Minimum",
    comparison: "LessThanThreshold",
    threshold: 1,
    minutes: 3,
    missing: "breaching",
  },
  {
    role: "queue-age",
    metric: "OldestMessageSeconds",
    description:
      "A message has been in the queue for over an hour: a Server or relay takes no mail.",
    statistic: "Maximum",
    comparison: "GreaterThanThreshold",
    threshold: 3_600,
    minutes: 5,
    missing: "ignore",
  },
  {
    role: "stale-routes",
    metric: "RouteAgeSeconds",
    description:
      "The slot could not read the route store for 5 minutes. It goes on with what it knows.",
    statistic: "Maximum",
    comparison: "GreaterThanThreshold",
    threshold: 300,
    minutes: 3,
    missing: "ignore",
  },
  {
    role: "disk",
    metric: "DiskFreePercent",
    description: "A disk of the slot has less than 15 % left.",
    statistic: "Minimum",
    comparison: "LessThanThreshold",
    threshold: 15,
    minutes: 5,
    missing: "ignore",
  },
  {
    role: "certificate",
    metric: "CertificateDays",
    description: "The certificate ends in less than 14 days: give a new one, and run pulumi up.",
    statistic: "Minimum",
    comparison: "LessThanThreshold",
    threshold: 14,
    minutes: 5,
    missing: "ignore",
  },
];
