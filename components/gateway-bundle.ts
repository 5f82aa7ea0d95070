/** The program that the slots run, in a bucket that nobody else reads. */
import { Bucket } from "@pulumi/aws/s3/bucket.js";
import { BucketObjectv2 } from "@pulumi/aws/s3/bucketObjectv2.js";
import { BucketPublicAccessBlock } from "@pulumi/aws/s3/bucketPublicAccessBlock.js";
import { BucketVersioning } from "@pulumi/aws/s3/bucketVersioning.js";
import type { ComponentResourceOptions, Output } from "@pulumi/pulumi";
import { FileAsset } from "@pulumi/pulumi/asset/index.js";
import { ComponentResource } from "@pulumi/pulumi/resource.js";
import type { GatewayPlan } from "../config/gateway-plan.ts";

/** The bundle as a file on this machine. */
export interface BundleFile {
  readonly path: string;
  /** What the slots are told to expect. Another bundle has another one. */
  readonly sha256: string;
}

export interface GatewayBundleArgs {
  readonly plan: GatewayPlan;
  readonly bundle: BundleFile;
}

export class GatewayBundle extends ComponentResource {
  readonly bucket: Output<string>;
  readonly bucketArn: Output<string>;
  readonly key: string;
  /** The same, once the object is there. */
  readonly object: Output<string>;

  constructor(
    name: string,
    { plan, bundle }: GatewayBundleArgs,
    options?: ComponentResourceOptions,
  ) {
    super("mxhero:gateway:GatewayBundle", name, {}, options);
    const parent = { parent: this };
    const { tags } = plan;
    // It holds nothing that a release would not bring again.
    const args = { bucketPrefix: `${plan.table}-`, forceDestroy: true, tags };
    const { bucket, arn } = new Bucket(name, args, parent);
    const closed = new BucketPublicAccessBlock(name, { bucket, ...CLOSED }, parent);
    const versioningConfiguration = { status: "Enabled" };
    const versions = new BucketVersioning(name, { bucket, versioningConfiguration }, parent);
    this.key = `${bundle.sha256}.tar.gz`;
    // A new bundle has a new key, so that the former is there until the last slot has changed over.
    const object = new BucketObjectv2(
      name,
      {
        bucket,
        key: this.key,
        source: new FileAsset(bundle.path),
        contentType: "application/gzip",
      },
      { ...parent, dependsOn: [closed, versions] },
    );
    this.bucket = bucket;
    this.bucketArn = arn;
    this.object = object.key;
    this.registerOutputs({ bucket, key: this.key });
  }
}

const CLOSED = {
  blockPublicAcls: true,
  blockPublicPolicy: true,
  ignorePublicAcls: true,
  restrictPublicBuckets: true,
};
