/** What the slots log, and the alarms on it, to one topic. */
import { LogGroup } from "@pulumi/aws/cloudwatch/logGroup.js";
import { MetricAlarm } from "@pulumi/aws/cloudwatch/metricAlarm.js";
import { Topic } from "@pulumi/aws/sns/topic.js";
import { TopicSubscription } from "@pulumi/aws/sns/topicSubscription.js";
import type { ComponentResourceOptions, Input, Output } from "@pulumi/pulumi";
import { output } from "@pulumi/pulumi/output.js";
import { ComponentResource } from "@pulumi/pulumi/resource.js";
import { type AlarmPlan, SLOT_ALARMS } from "../config/gateway-alarms.ts";
import type { GatewayPlan } from "../config/gateway-plan.ts";
import { METRIC_NAMESPACE } from "../gateway/metrics.ts";

export interface GatewayAlarmsArgs {
  readonly plan: GatewayPlan;
}

export class GatewayAlarms extends ComponentResource {
  readonly logGroupArn: Output<string>;
  readonly #plan: GatewayPlan;

  constructor(name: string, { plan }: GatewayAlarmsArgs, options?: ComponentResourceOptions) {
    super("mxhero:gateway:GatewayAlarms", name, {}, options);
    this.#plan = plan;
    const { config, logGroup, tags } = plan;
    const retention = { name: logGroup, retentionInDays: config.logRetentionDays, tags };
    this.logGroupArn = new LogGroup(name, retention, { parent: this }).arn;
    const topic = this.#topic(name);
    for (const { slot } of plan.slots) {
      for (const alarm of SLOT_ALARMS)
        this.#watch(`${name}-${slot}-${alarm.role}`, slot, alarm, topic);
    }
    this.registerOutputs({ logGroupArn: this.logGroupArn });
  }

  #topic(name: string): Input<string> {
    const { config, table, tags } = this.#plan;
    if ("topic" in config.alarms) return output(config.alarms.topic);
    const topic = new Topic(name, { name: `${table}-alarms`, tags }, { parent: this });
    const endpoint = config.alarms.email;
    new TopicSubscription(
      name,
      { topic: topic.arn, protocol: "email", endpoint },
      { parent: this },
    );
    return topic.arn;
  }

  #watch(name: string, slot: string, alarm: AlarmPlan, topic: Input<string>): void {
    const { config, table, tags } = this.#plan;
    new MetricAlarm(
      name,
      {
        name: `${table}-${slot}-${alarm.role}`,
        alarmDescription: alarm.description,
        namespace: METRIC_NAMESPACE,
        metricName: alarm.metric,
        dimensions: { Gateway: config.name, Slot: slot },
        statistic: alarm.statistic,
        comparisonOperator: alarm.comparison,
        threshold: alarm.threshold,
        period: 60,
        evaluationPeriods: alarm.minutes,
        treatMissingData: alarm.missing,
        alarmActions: [topic],
        okActions: [topic],
        tags,
      },
      { parent: this },
    );
  }
}
