/** `aws.iam.Role`, `RolePolicy`, `InstanceProfile`. The emulator checks the grammar of policies as AWS does. */
import * as iamApi from "@aws-sdk/client-iam";
import { z } from "zod";
import { answered, orGone, sameJson, standInKind } from "../../stand-in.ts";
import { iam } from "./clients.ts";
import { tagList, tags, tagsOf } from "./tags.ts";

export const role = standInKind({
  type: "aws:iam/role:Role",
  inputs: z.strictObject({
    name: z.string().exactOptional(),
    assumeRolePolicy: z.string(),
    description: z.string().exactOptional(),
    tags,
  }),
  replaceOn: ["name"],
  computed: ["name"],
  create: async ({ name, assumeRolePolicy, description, tags: own }, unique) => {
    const { Role } = await iam().send(
      new iamApi.CreateRoleCommand({
        RoleName: name ?? unique,
        AssumeRolePolicyDocument: assumeRolePolicy,
        Description: description,
        Tags: tagList(own),
      }),
    );
    return answered(Role?.RoleName, "RoleName");
  },
  read: async (id, { assumeRolePolicy }) => {
    const answer = await orGone(iam().send(new iamApi.GetRoleCommand({ RoleName: id })));
    const found = answer?.Role;
    if (found === undefined) return undefined;
    const { RoleName: name, AssumeRolePolicyDocument: policy, Description, Tags, Arn } = found;
    return {
      inputs: {
        name,
        assumeRolePolicy: sameJson(decoded(policy), assumeRolePolicy),
        description: Description,
        tags: tagsOf(Tags),
      },
      outputs: { arn: Arn },
    };
  },
  update: async (id, news, old) => {
    await iam().send(
      new iamApi.UpdateAssumeRolePolicyCommand({
        RoleName: id,
        PolicyDocument: news.assumeRolePolicy,
      }),
    );
    await iam().send(
      new iamApi.UpdateRoleCommand({ RoleName: id, Description: news.description ?? "" }),
    );
    const gone = Object.keys(old.tags ?? {}).filter((key) => !Object.hasOwn(news.tags ?? {}, key));
    await iam().send(new iamApi.UntagRoleCommand({ RoleName: id, TagKeys: gone }));
    await iam().send(new iamApi.TagRoleCommand({ RoleName: id, Tags: tagList(news.tags) }));
  },
  delete: async (id) => {
    await orGone(iam().send(new iamApi.DeleteRoleCommand({ RoleName: id })));
  },
});

export const rolePolicy = standInKind({
  type: "aws:iam/rolePolicy:RolePolicy",
  inputs: z.strictObject({
    role: z.string(),
    name: z.string().exactOptional(),
    policy: z.string(),
  }),
  replaceOn: ["role", "name"],
  computed: ["name"],
  create: async ({ role: holder, name, policy }, unique) => {
    const PolicyName = name ?? unique;
    const request = { RoleName: holder, PolicyName, PolicyDocument: policy };
    await iam().send(new iamApi.PutRolePolicyCommand(request));
    return `${holder}:${PolicyName}`;
  },
  read: async (id, { policy }) => {
    const [holder, name] = id.split(":");
    const request = { RoleName: holder, PolicyName: name };
    const found = await orGone(iam().send(new iamApi.GetRolePolicyCommand(request)));
    return (
      found && {
        inputs: { role: holder, name, policy: sameJson(decoded(found.PolicyDocument), policy) },
      }
    );
  },
  update: async (id, { policy }) => {
    const [RoleName, PolicyName] = id.split(":");
    const request = { RoleName, PolicyName, PolicyDocument: policy };
    await iam().send(new iamApi.PutRolePolicyCommand(request));
  },
  delete: async (id) => {
    const [RoleName, PolicyName] = id.split(":");
    await orGone(iam().send(new iamApi.DeleteRolePolicyCommand({ RoleName, PolicyName })));
  },
});

export const instanceProfile = standInKind({
  type: "aws:iam/instanceProfile:InstanceProfile",
  inputs: z.strictObject({ name: z.string().exactOptional(), role: z.string(), tags }),
  replaceOn: ["name"],
  computed: ["name"],
  create: async ({ name, role: holder, tags: own }, unique) => {
    const InstanceProfileName = name ?? unique;
    await iam().send(
      new iamApi.CreateInstanceProfileCommand({ InstanceProfileName, Tags: tagList(own) }),
    );
    await addRole(InstanceProfileName, holder);
    return InstanceProfileName;
  },
  read: async (id) => {
    const asked = new iamApi.GetInstanceProfileCommand({ InstanceProfileName: id });
    const found = (await orGone(iam().send(asked)))?.InstanceProfile;
    if (found === undefined) return undefined;
    const holder = found.Roles?.[0]?.RoleName;
    return { inputs: { name: id, role: holder }, outputs: { arn: found.Arn } };
  },
  update: async (id, news, old) => {
    if (news.role === old.role) return;
    await removeRole(id, old.role);
    await addRole(id, news.role);
  },
  delete: async (id, { role: holder }) => {
    await orGone(removeRole(id, holder));
    await orGone(iam().send(new iamApi.DeleteInstanceProfileCommand({ InstanceProfileName: id })));
  },
});

async function addRole(InstanceProfileName: string, RoleName: string): Promise<void> {
  const request = { InstanceProfileName, RoleName };
  await iam().send(new iamApi.AddRoleToInstanceProfileCommand(request));
}

async function removeRole(InstanceProfileName: string, RoleName: string): Promise<void> {
  const request = { InstanceProfileName, RoleName };
  await iam().send(new iamApi.RemoveRoleFromInstanceProfileCommand(request));
}

/** IAM answers with percent-encoded documents. */
function decoded(document: string | undefined): string | undefined {
  return document && decodeURIComponent(document);
}
