/** `aws.s3.BucketObjectv2`, whose content is a file asset. */
import { readFile } from "node:fs/promises";
import * as s3Api from "@aws-sdk/client-s3";
import { z } from "zod";
import { orGone, standInKind } from "../../stand-in.ts";
import { s3 } from "./clients.ts";

/** A file asset as the engine sends it: developer-docs/architecture/deployment-execution/resource-registration. */
const fileAsset = z.strictObject({
  "4dabf18193072939515e22adb298388d": z.literal("c44067f5952c0a294b673a41bacd8c17"),
  path: z.string(),
  hash: z.string(),
});

const inputs = z.strictObject({
  bucket: z.string(),
  key: z.string(),
  source: fileAsset,
  contentType: z.string().exactOptional(),
});
type Inputs = z.output<typeof inputs>;

export const bucketObject = standInKind<Inputs>({
  type: "aws:s3/bucketObjectv2:BucketObjectv2",
  inputs,
  replaceOn: ["bucket", "key"],
  create: async (asked) => {
    await put(asked);
    return `${asked.bucket}/${asked.key}`;
  },
  read: async (_id, { bucket: Bucket, key: Key, contentType }) => {
    const found = await orGone(s3().send(new s3Api.HeadObjectCommand({ Bucket, Key })));
    if (found === undefined) return undefined;
    const typed = contentType === undefined ? {} : { contentType: found.ContentType };
    return { inputs: typed, outputs: { versionId: found.VersionId } };
  },
  update: (_id, news) => put(news),
  delete: async (_id, { bucket: Bucket, key: Key }) => {
    await orGone(s3().send(new s3Api.DeleteObjectCommand({ Bucket, Key })));
  },
});

async function put({ bucket, key, source, contentType }: Inputs): Promise<void> {
  await s3().send(
    new s3Api.PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: await readFile(source.path),
      ContentType: contentType,
    }),
  );
}
