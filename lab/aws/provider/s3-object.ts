/** `aws.s3.BucketObjectv2`, whose content is a file asset. */
import { readFile } from "node:fs/promises";
import * as s3Api from "@aws-sdk/client-s3";
import { z } from "zod";
import { answered, fileAsset, orGone, standInKind } from "../../stand-in.ts";
import { s3 } from "./clients.ts";
import { deleteVersions } from "./s3.ts";

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
  delete: async (_id, { bucket, key }) => {
    await orGone(deleteVersions(bucket, key));
  },
});

async function put({ bucket, key, source, contentType }: Inputs): Promise<void> {
  await s3().send(
    new s3Api.PutObjectCommand({
      Bucket: bucket,
      Key: key,
      Body: await readFile(answered(source.path, "path of the file")),
      ContentType: contentType,
    }),
  );
}
