import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { keyPolicy, slotPolicy, trustPolicy } from "./gateway-policies.ts";

const place = {
  partition: "aws",
  account: "123456789012",
  region: "eu-central-1",
  secretPrefix: "/mxhero/example",
};

const policies = {
  trust: trustPolicy(),
  slot: slotPolicy({
    ...place,
    tableArn: "arn:aws:dynamodb:eu-central-1:123456789012:table/mxhero-gateway-example",
    bucketArn: "arn:aws:s3:::mxhero-gateway-example-1a2b3c",
    bundleKey: "0123.tar.gz",
    keyArn: "arn:aws:kms:eu-central-1:123456789012:key/00000000-0000-0000-0000-000000000000",
    logGroupArn: "arn:aws:logs:eu-central-1:123456789012:log-group:/mxhero/example",
  }),
  key: keyPolicy({
    ...place,
    roleArn: "arn:aws:iam::123456789012:role/mxhero-gateway-example",
  }),
};

const statements = Object.values(policies).flatMap(({ Statement }) => Statement);

test("the policies are those that were reviewed", async () => {
  const reviewed = await readFile(
    new URL("testdata/gateway-policies.json", import.meta.url),
    "utf8",
  );
  expect(policies).toEqual(JSON.parse(reviewed));
});

test("every action is named in full", () => {
  const actions = statements.flatMap(({ Action }) => Action);
  expect(actions.length).toBeGreaterThan(20);
  expect(actions.filter((action) => !/^[a-z0-9]+:[A-Za-z]+$/.test(action))).toEqual([]);
});

test("only Session Manager's actions are without a resource of their own", () => {
  const open = policies.slot.Statement.filter(({ Resource = [] }) => Resource.includes("*"));
  expect(open.map(({ Sid }) => Sid)).toEqual(["SessionManager"]);
  const actions = open.flatMap(({ Action }) => Action);
  expect(actions.filter((action) => /^ssm:Get|^s3:|^dynamodb:|^kms:/.test(action))).toEqual([]);
});

test("nobody but the slots decrypts", () => {
  const decrypting = policies.key.Statement.filter(({ Action }) => Action.includes("kms:Decrypt"));
  expect(decrypting.map(({ Principal }) => Principal)).toEqual([
    { AWS: "arn:aws:iam::123456789012:role/mxhero-gateway-example" },
  ]);
  const granting = ["kms:CreateGrant", "kms:ReEncryptFrom", "kms:GenerateDataKeyPair"];
  const root = policies.key.Statement.filter(({ Principal }) => Principal?.AWS?.endsWith(":root"));
  expect(root.flatMap(({ Action }) => Action).filter((each) => granting.includes(each))).toEqual(
    [],
  );
});
