import { readdir, readFile } from "node:fs/promises";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { configurationSchema } from "../provider/settings.ts";
import { exampleGateway } from "./example-gateway.ts";
import { contoso, gateway, stackValues } from "./example-tenant.ts";
import { readGatewayConfig } from "./read-gateway.ts";
import { readTenantConfig } from "./read-tenant.ts";
import { gatewayFileSchema, stackFileSchema } from "./stack-file-schema.ts";

const stacks = new URL("../stacks/", import.meta.url);
const files = (await readdir(stacks)).filter((name) => name.endsWith(".yaml"));
const names = files.filter((name) => name !== "Pulumi.gateway.yaml");
// Editors check these two formats, and Ajv alone knows none.
const ajv = new Ajv({ allErrors: true, formats: { email: true, uri: true } });
const validate = ajv.compile(stackFileSchema());
const validateGateway = ajv.compile(gatewayFileSchema());
const stackFile = z.object({ config: z.record(z.string(), z.unknown()) });

/** The paths at which the schema finds fault with a stack file. */
function faultyPaths(file: unknown): string[] {
  validate(file);
  return (validate.errors ?? []).map(({ instancePath }) => instancePath);
}

const sound = {
  "mail:organisation": "contoso",
  "mail:gateway": gateway,
  "mail:domains": [contoso],
};

test.each([
  ["tenant.schema.json", stackFileSchema()],
  ["gateway.schema.json", gatewayFileSchema()],
])("%s, which editors read, is up to date", async (name, schema) => {
  const written = await readFile(new URL(name, import.meta.url), "utf8");
  expect(JSON.parse(written)).toEqual(schema);
});

test("the example of a gateway is sound for an editor, and lacks only the certificate", async () => {
  const text = await readFile(new URL("Pulumi.gateway.yaml", stacks), "utf8");
  const file = stackFile.parse(parse(text));
  validateGateway(file);
  expect(validateGateway.errors).toBeNull();
  const read = () =>
    readGatewayConfig({
      file: "Pulumi.gateway.yaml",
      values: stackValues(file.config),
      isSecret: () => false,
      outputsOf: () => Promise.reject(new Error("a gateway needs no other stack")),
    });
  expect(read).toThrow("has 2 faults");
  expect(read).toThrow(/gateway:certificate: It is missing[^]*gateway:privateKey: It is missing/);
});

test("an editor marks a key of a gateway in clear, and a key that is unknown", () => {
  const config = { ...exampleGateway, "gateway:privateKey": "x", "gateway:slot": 2 };
  validateGateway({ config });
  const paths = (validateGateway.errors ?? []).map(({ instancePath }) => instancePath);
  expect(paths).toEqual(
    expect.arrayContaining(["/config/gateway:privateKey", "/config/gateway:slot"]),
  );
});

test("an editor takes what `pulumi config set` writes, where all values are texts", () => {
  const written = {
    "gateway:slots": "2",
    "gateway:pool": "6",
    "gateway:ttlSeconds": "60",
    "gateway:logRetentionDays": "90",
    "gateway:deletionProtection": "false",
    "mxhero:waitSeconds": "1200",
  };
  validateGateway({ config: { ...exampleGateway, ...written } });
  expect(validateGateway.errors).toBeNull();
  const wrong = { "gateway:slots": "two", "gateway:logRetentionDays": "91" };
  validateGateway({ config: { ...exampleGateway, ...wrong } });
  const paths = (validateGateway.errors ?? []).map(({ instancePath }) => instancePath);
  expect(paths).toEqual(expect.arrayContaining(Object.keys(wrong).map((key) => `/config/${key}`)));
});

test("there are examples of two tenants", () => {
  expect(names).toEqual(expect.arrayContaining(["Pulumi.contoso.yaml", "Pulumi.fabrikam.yaml"]));
});

test.each(names)("%s is sound, for an editor and for the program", async (name) => {
  const text = await readFile(new URL(name, stacks), "utf8");
  expect(text).toMatch(/^# yaml-language-server: \$schema=\.\.\/config\/tenant\.schema\.json\n/);
  const file = stackFile.parse(parse(text));
  expect(faultyPaths(file)).toEqual([]);
  const { domains } = await readTenantConfig({
    file: name,
    values: stackValues(file.config),
    isSecret: () => false,
    outputsOf: () => Promise.reject(new Error("an example has no other stack")),
  });
  expect(domains).toHaveLength(z.array(z.unknown()).parse(file.config["mail:domains"]).length);
});

test("what Pulumi and the provider add to a stack file is known", () => {
  const file = {
    encryptionsalt: "v1:example",
    config: {
      ...sound,
      "mail:fixIt": "https://contoso.test/mail",
      "mail:relayPasswords": { relay: { secure: "AAABAexample" } },
      "mxhero:apiToken": { secure: "AAABAexample" },
      "mxhero:apiTokens": { subsidiary: { secure: "AAABAexample" } },
      "mxhero:resolvers": ["192.0.2.53"],
      "aws:region": "eu-central-1",
    },
  };
  expect(faultyPaths(file)).toEqual([]);
});

test.each([
  [
    "an unknown key of a domain",
    { "mail:domains": [{ ...contoso, sever: "x" }] },
    "/config/mail:domains/0",
  ],
  ["an unknown key of the stack", { "mail:domain": [] }, "/config/mail:domain"],
  ["an unknown setting of the provider", { "mxhero:token": "x" }, "/config/mxhero:token"],
  ["a token in plain", { "mxhero:apiToken": "x" }, "/config/mxhero:apiToken"],
  [
    "a password in plain",
    { "mail:relayPasswords": { relay: "x" } },
    "/config/mail:relayPasswords/relay",
  ],
  ["no Server", { "mail:domains": [{ ...contoso, server: undefined }] }, "/config/mail:domains/0"],
])("an editor marks %s", (_, changes, path) => {
  // YAML has no undefined: a key that is left out is not there.
  const file: unknown = JSON.parse(JSON.stringify({ config: { ...sound, ...changes } }));
  expect(faultyPaths(file)).toContain(path);
});

test("every value has a description for the editor", () => {
  const described = z.object({ description: z.string().min(1) });
  const { properties } = z
    .object({
      properties: z.object({
        config: z.object({
          properties: z.looseObject({
            "mail:domains": z.object({
              items: z.object({ properties: z.record(z.string(), described) }),
            }),
          }),
        }),
      }),
    })
    .parse(stackFileSchema());
  const domain = properties.config.properties["mail:domains"].items.properties;
  expect(Object.keys(domain)).toEqual(expect.arrayContaining(["name", "server", "spf", "bypass"]));
});

test("the provider's settings are those that it reads", () => {
  const { properties } = z
    .object({
      properties: z.object({ config: z.object({ properties: z.record(z.string(), z.unknown()) }) }),
    })
    .parse(stackFileSchema());
  const settings = Object.keys(properties.config.properties)
    .filter((key) => key.startsWith("mxhero:"))
    .map((key) => key.slice("mxhero:".length));
  expect(settings.toSorted()).toEqual(Object.keys(configurationSchema.shape).toSorted());
});
