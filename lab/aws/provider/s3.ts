/** `aws.s3.Bucket`, and what is set on one: `BucketPublicAccessBlock`, `BucketVersioning`. */
import { randomInt } from "node:crypto";
import * as s3Api from "@aws-sdk/client-s3";
import { z } from "zod";
import { orGone, standInKind } from "../../stand-in.ts";
import { currentRegion, s3 } from "./clients.ts";
import { tagList, tags } from "./tags.ts";

export const bucket = standInKind({
  type: "aws:s3/bucket:Bucket",
  inputs: z.strictObject({
    bucket: z.string().exactOptional(),
    bucketPrefix: z.string().exactOptional(),
    forceDestroy: z.boolean().exactOptional(),
    tags,
  }),
  replaceOn: ["bucket", "bucketPrefix"],
  computed: ["bucket"],
  create: async ({ bucket: name, bucketPrefix, tags: own }, unique) => {
    const Bucket = name ?? (bucketPrefix === undefined ? unique : suffixed(bucketPrefix));
    const LocationConstraint = Object.values(s3Api.BucketLocationConstraint).find(
      (known) => known === currentRegion(),
    );
    await s3().send(
      new s3Api.CreateBucketCommand({
        Bucket,
        ...(LocationConstraint && { CreateBucketConfiguration: { LocationConstraint } }),
      }),
    );
    await tagBucket(Bucket, own);
    return Bucket;
  },
  read: async (id) => {
    const found = await orGone(s3().send(new s3Api.HeadBucketCommand({ Bucket: id })));
    return (
      found && {
        inputs: { bucket: id },
        outputs: { arn: `arn:aws:s3:::${id}`, region: currentRegion() },
      }
    );
  },
  update: (id, news) => tagBucket(id, news.tags),
  delete: async (id, { forceDestroy = false }) => {
    if (forceDestroy) await orGone(deleteVersions(id));
    await orGone(s3().send(new s3Api.DeleteBucketCommand({ Bucket: id })));
  },
});

/** The real provider's way: a time and a counter, 26 digits. */
function suffixed(prefix: string): string {
  return `${prefix}${Date.now()}${String(randomInt(1e13)).padStart(13, "0")}`;
}

async function tagBucket(Bucket: string, own: Record<string, string> = {}): Promise<void> {
  const Tagging = { TagSet: tagList(own) };
  await s3().send(new s3Api.PutBucketTaggingCommand({ Bucket, Tagging }));
}

/** Deletes every version of the object with this key, or of all. */
export async function deleteVersions(Bucket: string, key?: string): Promise<void> {
  for (;;) {
    const page = await s3().send(new s3Api.ListObjectVersionsCommand({ Bucket, Prefix: key }));
    // The emulator cannot take the last version from under a marker.
    const listed = [...(page.DeleteMarkers ?? []), ...(page.Versions ?? [])];
    const found = listed.filter(({ Key }) => key === undefined || Key === key);
    if (found.length === 0) return;
    for (const { Key, VersionId } of found) {
      await s3().send(new s3Api.DeleteObjectCommand({ Bucket, Key, VersionId }));
    }
  }
}

export const bucketPublicAccessBlock = standInKind({
  type: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  inputs: z.strictObject({
    bucket: z.string(),
    blockPublicAcls: z.boolean().exactOptional(),
    blockPublicPolicy: z.boolean().exactOptional(),
    ignorePublicAcls: z.boolean().exactOptional(),
    restrictPublicBuckets: z.boolean().exactOptional(),
  }),
  replaceOn: ["bucket"],
  computed: ["blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"],
  create: async (inputs) => {
    await blockPublicAccess(inputs);
    return inputs.bucket;
  },
  read: async (id) => {
    const asked = new s3Api.GetPublicAccessBlockCommand({ Bucket: id });
    const found = (await orGone(s3().send(asked)))?.PublicAccessBlockConfiguration;
    return (
      found && {
        inputs: {
          blockPublicAcls: found.BlockPublicAcls,
          blockPublicPolicy: found.BlockPublicPolicy,
          ignorePublicAcls: found.IgnorePublicAcls,
          restrictPublicBuckets: found.RestrictPublicBuckets,
        },
      }
    );
  },
  update: (_id, news) => blockPublicAccess(news),
  delete: async (id) => {
    await orGone(s3().send(new s3Api.DeletePublicAccessBlockCommand({ Bucket: id })));
  },
});

interface PublicAccess {
  readonly bucket: string;
  readonly blockPublicAcls?: boolean;
  readonly blockPublicPolicy?: boolean;
  readonly ignorePublicAcls?: boolean;
  readonly restrictPublicBuckets?: boolean;
}

async function blockPublicAccess({ bucket: Bucket, ...blocked }: PublicAccess): Promise<void> {
  const PublicAccessBlockConfiguration = {
    BlockPublicAcls: blocked.blockPublicAcls ?? false,
    BlockPublicPolicy: blocked.blockPublicPolicy ?? false,
    IgnorePublicAcls: blocked.ignorePublicAcls ?? false,
    RestrictPublicBuckets: blocked.restrictPublicBuckets ?? false,
  };
  await s3().send(
    new s3Api.PutPublicAccessBlockCommand({ Bucket, PublicAccessBlockConfiguration }),
  );
}

const versioning = z.strictObject({ status: z.enum(["Enabled", "Suspended"]) });

export const bucketVersioning = standInKind({
  type: "aws:s3/bucketVersioning:BucketVersioning",
  inputs: z.strictObject({ bucket: z.string(), versioningConfiguration: versioning }),
  replaceOn: ["bucket"],
  create: async ({ bucket: id, versioningConfiguration }) => {
    await setVersioning(id, versioningConfiguration.status);
    return id;
  },
  read: async (id) => {
    const asked = new s3Api.GetBucketVersioningCommand({ Bucket: id });
    const status = (await orGone(s3().send(asked)))?.Status;
    return status && { inputs: { versioningConfiguration: { status } } };
  },
  update: (id, { versioningConfiguration }) => setVersioning(id, versioningConfiguration.status),
  delete: async (id) => {
    await orGone(setVersioning(id, "Suspended"));
  },
});

async function setVersioning(Bucket: string, Status: "Enabled" | "Suspended"): Promise<void> {
  const VersioningConfiguration = { Status };
  await s3().send(new s3Api.PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
}
