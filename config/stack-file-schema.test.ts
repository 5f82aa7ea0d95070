import { readdir, readFile } from "node:fs/promises";
import { Ajv } from "ajv";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { z } from "zod";
import { configurationSchema } from "../provider/settings.ts";
import { contoso, gateway, stackValues } from "./example-tenant.ts";
import { readTenantConfig } from "./read-tenant.ts";
import { stackFileSchema } from "./stack-file-schema.ts";

const stacks = new URL("../stacks/", import.meta.url);
const names = (await readdir(stacks)).filter((name) => name.endsWith(".yaml"));
const validate = new Ajv({ allErrors: true }).compile(stackFileSchema());
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

test("the file that editors read is up to date", async () => {
  const written = await readFile(new URL("tenant.schema.json", import.meta.url), "utf8");
  expect(JSON.parse(written)).toEqual(stackFileSchema());
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
