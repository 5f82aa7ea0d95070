/** Logs, alarms and who is told: `aws.cloudwatch.LogGroup`, `MetricAlarm`, `aws.sns.Topic`, `TopicSubscription`. */
import * as cloudwatchApi from "@aws-sdk/client-cloudwatch";
import * as logsApi from "@aws-sdk/client-cloudwatch-logs";
import * as snsApi from "@aws-sdk/client-sns";
import { z } from "zod";
import { answered, orGone, standInKind } from "../../stand-in.ts";
import { cloudwatch, logs, sns } from "./clients.ts";
import { tagList, tags } from "./tags.ts";

export const logGroup = standInKind({
  type: "aws:cloudwatch/logGroup:LogGroup",
  inputs: z.strictObject({
    name: z.string().exactOptional(),
    retentionInDays: z.number().exactOptional(),
    tags,
  }),
  replaceOn: ["name"],
  computed: ["name"],
  create: async ({ name, retentionInDays, tags: own }, unique) => {
    const logGroupName = name ?? unique;
    await logs().send(new logsApi.CreateLogGroupCommand({ logGroupName, tags: own }));
    await setRetention(logGroupName, retentionInDays);
    return logGroupName;
  },
  read: async (id) => {
    const asked = new logsApi.DescribeLogGroupsCommand({ logGroupNamePrefix: id });
    const { logGroups = [] } = await logs().send(asked);
    const found = logGroups.find(({ logGroupName }) => logGroupName === id);
    return (
      found && {
        inputs: { name: id, retentionInDays: found.retentionInDays },
        outputs: { arn: found.arn?.replace(/:\*$/, "") },
      }
    );
  },
  update: (id, { retentionInDays }) => setRetention(id, retentionInDays),
  delete: async (id) => {
    await orGone(logs().send(new logsApi.DeleteLogGroupCommand({ logGroupName: id })));
  },
});

async function setRetention(logGroupName: string, retentionInDays?: number): Promise<void> {
  if (retentionInDays === undefined) {
    await logs().send(new logsApi.DeleteRetentionPolicyCommand({ logGroupName }));
  } else {
    await logs().send(new logsApi.PutRetentionPolicyCommand({ logGroupName, retentionInDays }));
  }
}

const alarm = z.strictObject({
  name: z.string().exactOptional(),
  alarmDescription: z.string().exactOptional(),
  namespace: z.string(),
  metricName: z.string(),
  dimensions: z.record(z.string(), z.string()).exactOptional(),
  statistic: z.enum(["SampleCount", "Average", "Sum", "Minimum", "Maximum"]),
  period: z.number(),
  evaluationPeriods: z.number(),
  threshold: z.number(),
  comparisonOperator: z.enum([
    "GreaterThanOrEqualToThreshold",
    "GreaterThanThreshold",
    "LessThanThreshold",
    "LessThanOrEqualToThreshold",
  ]),
  treatMissingData: z.enum(["missing", "ignore", "breaching", "notBreaching"]).exactOptional(),
  alarmActions: z.array(z.string()).exactOptional(),
  okActions: z.array(z.string()).exactOptional(),
  tags,
});
type Alarm = z.output<typeof alarm>;

export const metricAlarm = standInKind<Alarm>({
  type: "aws:cloudwatch/metricAlarm:MetricAlarm",
  inputs: alarm,
  replaceOn: ["name"],
  computed: ["name"],
  create: async (inputs, unique) => {
    await putAlarm(inputs.name ?? unique, inputs);
    return inputs.name ?? unique;
  },
  read: async (id) => {
    const asked = new cloudwatchApi.DescribeAlarmsCommand({ AlarmNames: [id] });
    const found = (await cloudwatch().send(asked)).MetricAlarms?.[0];
    if (found === undefined) return undefined;
    const { Threshold: threshold, Period: period, EvaluationPeriods: evaluationPeriods } = found;
    const inputs = { name: id, threshold, period, evaluationPeriods };
    return { inputs, outputs: { arn: found.AlarmArn } };
  },
  update: (id, news) => putAlarm(id, news),
  delete: async (id) => {
    await cloudwatch().send(new cloudwatchApi.DeleteAlarmsCommand({ AlarmNames: [id] }));
  },
});

async function putAlarm(AlarmName: string, inputs: Alarm): Promise<void> {
  const dimensions = Object.entries(inputs.dimensions ?? {});
  await cloudwatch().send(
    new cloudwatchApi.PutMetricAlarmCommand({
      AlarmName,
      AlarmDescription: inputs.alarmDescription,
      Namespace: inputs.namespace,
      MetricName: inputs.metricName,
      Dimensions: dimensions.map(([Name, Value]) => ({ Name, Value })),
      Statistic: inputs.statistic,
      Period: inputs.period,
      EvaluationPeriods: inputs.evaluationPeriods,
      Threshold: inputs.threshold,
      ComparisonOperator: inputs.comparisonOperator,
      TreatMissingData: inputs.treatMissingData,
      AlarmActions: inputs.alarmActions,
      OKActions: inputs.okActions,
      Tags: tagList(inputs.tags),
    }),
  );
}

export const topic = standInKind({
  type: "aws:sns/topic:Topic",
  inputs: z.strictObject({ name: z.string().exactOptional(), tags }),
  replaceOn: ["name"],
  computed: ["name"],
  create: async ({ name, tags: own }, unique) => {
    const request = { Name: name ?? unique, Tags: tagList(own) };
    return answered(
      (await sns().send(new snsApi.CreateTopicCommand(request))).TopicArn,
      "TopicArn",
    );
  },
  read: async (id) => {
    const found = await orGone(sns().send(new snsApi.GetTopicAttributesCommand({ TopicArn: id })));
    return found && { inputs: { name: id.split(":").at(-1) }, outputs: { arn: id } };
  },
  update: async (id, news) => {
    const Tags = tagList(news.tags);
    await sns().send(new snsApi.TagResourceCommand({ ResourceArn: id, Tags }));
  },
  delete: async (id) => {
    await orGone(sns().send(new snsApi.DeleteTopicCommand({ TopicArn: id })));
  },
});

export const topicSubscription = standInKind({
  type: "aws:sns/topicSubscription:TopicSubscription",
  inputs: z.strictObject({ topic: z.string(), protocol: z.string(), endpoint: z.string() }),
  replaceOn: ["topic", "protocol", "endpoint"],
  create: async ({ topic: TopicArn, protocol, endpoint }) => {
    const request = { TopicArn, Protocol: protocol, Endpoint: endpoint };
    const answer = await sns().send(
      new snsApi.SubscribeCommand({ ...request, ReturnSubscriptionArn: true }),
    );
    return answered(answer.SubscriptionArn, "SubscriptionArn");
  },
  read: async (id) => {
    const asked = new snsApi.GetSubscriptionAttributesCommand({ SubscriptionArn: id });
    const found = (await orGone(sns().send(asked)))?.Attributes;
    return found && { inputs: { protocol: found["Protocol"], endpoint: found["Endpoint"] } };
  },
  delete: async (id) => {
    await orGone(sns().send(new snsApi.UnsubscribeCommand({ SubscriptionArn: id })));
  },
});
