/** `aws.kms.Key`. */
import * as kmsApi from "@aws-sdk/client-kms";
import { z } from "zod";
import { answered, orGone, sameJson, standInKind } from "../../stand-in.ts";
import { kms } from "./clients.ts";
import { type Tags, tags } from "./tags.ts";

export const key = standInKind({
  type: "aws:kms/key:Key",
  inputs: z.strictObject({
    description: z.string().exactOptional(),
    policy: z.string().exactOptional(),
    enableKeyRotation: z.boolean().exactOptional(),
    deletionWindowInDays: z.int().min(7).max(30).exactOptional(),
    tags,
  }),
  computed: ["description", "policy"],
  create: async ({ description, policy, enableKeyRotation = false, tags: own }) => {
    const { KeyMetadata } = await kms().send(
      new kmsApi.CreateKeyCommand({
        Description: description,
        Policy: policy,
        Tags: tagList(own),
      }),
    );
    const id = answered(KeyMetadata?.KeyId, "KeyId");
    await setRotation(id, enableKeyRotation);
    return id;
  },
  read: async (id, inputs) => {
    const answer = await orGone(kms().send(new kmsApi.DescribeKeyCommand({ KeyId: id })));
    const found = answer?.KeyMetadata;
    if (found === undefined || found.KeyState === "PendingDeletion") return undefined;
    const { Description: description, KeyId: keyId, Arn: arn } = found;
    return {
      inputs: {
        description,
        policy: await policyOf(id, inputs.policy),
        ...(inputs.enableKeyRotation !== undefined && {
          enableKeyRotation: await rotates(id),
        }),
      },
      outputs: { keyId, arn },
    };
  },
  update: async (id, news, old) => {
    if (news.policy !== undefined) {
      const request = { KeyId: id, PolicyName: "default", Policy: news.policy };
      await kms().send(new kmsApi.PutKeyPolicyCommand(request));
    }
    const Description = news.description ?? "";
    await kms().send(new kmsApi.UpdateKeyDescriptionCommand({ KeyId: id, Description }));
    await setRotation(id, news.enableKeyRotation ?? false);
    const gone = Object.keys(old.tags ?? {}).filter(
      (name) => !Object.hasOwn(news.tags ?? {}, name),
    );
    await kms().send(new kmsApi.UntagResourceCommand({ KeyId: id, TagKeys: gone }));
    await kms().send(new kmsApi.TagResourceCommand({ KeyId: id, Tags: tagList(news.tags) }));
  },
  delete: async (id, { deletionWindowInDays = 30 }) => {
    const request = { KeyId: id, PendingWindowInDays: deletionWindowInDays };
    await orGone(kms().send(new kmsApi.ScheduleKeyDeletionCommand(request)));
  },
});

async function policyOf(KeyId: string, written: string | undefined): Promise<string | undefined> {
  const { Policy } = await kms().send(
    new kmsApi.GetKeyPolicyCommand({ KeyId, PolicyName: "default" }),
  );
  return written === undefined ? Policy : sameJson(Policy, written);
}

async function rotates(KeyId: string): Promise<boolean> {
  const answer = await kms().send(new kmsApi.GetKeyRotationStatusCommand({ KeyId }));
  return answer.KeyRotationEnabled ?? false;
}

async function setRotation(KeyId: string, enabled: boolean): Promise<void> {
  if (enabled) await kms().send(new kmsApi.EnableKeyRotationCommand({ KeyId }));
  else await kms().send(new kmsApi.DisableKeyRotationCommand({ KeyId }));
}

function tagList(own: Tags = {}) {
  return Object.entries(own).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
}
