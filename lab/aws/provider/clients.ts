/** The clients of AWS's APIs. Endpoint and credentials come from the environment, as the SDK reads it. */
import { CloudWatchClient } from "@aws-sdk/client-cloudwatch";
import { CloudWatchLogsClient } from "@aws-sdk/client-cloudwatch-logs";
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient } from "@aws-sdk/client-iam";
import { KMSClient } from "@aws-sdk/client-kms";
import { S3Client } from "@aws-sdk/client-s3";
import { SNSClient } from "@aws-sdk/client-sns";

let region = process.env["AWS_REGION"] ?? "";

/** The provider's `region`. Comes before the first client is used. */
export function setRegion(configured: string): void {
  region = configured;
}

export function currentRegion(): string {
  if (region === "") throw new Error("aws:region is not configured");
  return region;
}

const once = <Client>(make: () => Client): (() => Client) => {
  let made: Client | undefined;
  return () => (made ??= make());
};

export const ec2 = once(() => new EC2Client({ region: currentRegion() }));
export const s3 = once(() => new S3Client({ region: currentRegion(), forcePathStyle: true }));
export const iam = once(() => new IAMClient({ region: currentRegion() }));
export const kms = once(() => new KMSClient({ region: currentRegion() }));
export const sns = once(() => new SNSClient({ region: currentRegion() }));
export const dynamodb = once(() => new DynamoDBClient({ region: currentRegion() }));
export const cloudwatch = once(() => new CloudWatchClient({ region: currentRegion() }));
export const logs = once(() => new CloudWatchLogsClient({ region: currentRegion() }));
