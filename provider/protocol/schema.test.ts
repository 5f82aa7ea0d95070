import { expect, test } from "vitest";
import { z } from "zod";
import { mxheroProvider } from "../mxhero.ts";
import type { ResourceKind } from "../resource.ts";
import { schemaOf } from "./schema.ts";

const record = z.strictObject({ exchange: z.string(), preference: z.number().int() });
const inputs = z.strictObject({
  domain: z.string().transform((text) => text.toLowerCase()),
  mx: z.array(record),
  mode: z.enum(["fast", "slow"]).exactOptional(),
  wait: z.number().default(60),
  tags: z.record(z.string(), z.boolean()).exactOptional(),
  server: z.union([z.string(), record]).exactOptional(),
});
const outputs = z.object({ ...inputs.shape, journal: z.object({ former: z.array(record) }) });

const neverCalled = () => Promise.reject(new Error("a schema needs no call"));
const kind: ResourceKind<z.output<typeof inputs>, z.output<typeof outputs>> = {
  type: "mxhero:index:Toy",
  inputs,
  outputs,
  diff: () => [],
  create: neverCalled,
  read: neverCalled,
  update: neverCalled,
  delete: neverCalled,
};

test("resources have the properties of their schemas, and objects are types by name", async () => {
  const schema = await schemaOf({
    ...mxheroProvider({ [kind.type]: async () => kind }),
    version: "1.2.3",
  });
  const mx = { type: "array", items: { $ref: "#/types/mxhero:index:ToyMx" } };
  const inputProperties = {
    domain: { type: "string" },
    mx,
    mode: { type: "string" },
    wait: { type: "number" },
    tags: { type: "object", additionalProperties: { type: "boolean" } },
    server: { $ref: "pulumi.json#/Any" },
  };
  expect(schema).toMatchObject({
    name: "mxhero",
    version: "1.2.3",
    resources: {
      "mxhero:index:Toy": {
        inputProperties,
        requiredInputs: ["domain", "mx"],
        properties: {
          ...inputProperties,
          journal: { $ref: "#/types/mxhero:index:ToyJournal" },
        },
        required: ["domain", "mx", "journal"],
      },
    },
    types: {
      "mxhero:index:ToyMx": {
        type: "object",
        properties: { exchange: { type: "string" }, preference: { type: "integer" } },
        required: ["exchange", "preference"],
      },
      "mxhero:index:ToyJournal": { required: ["former"] },
      "mxhero:index:ToyJournalFormer": { required: ["exchange", "preference"] },
    },
  });
});

test("the configuration is that of the provider, all of it optional", async () => {
  const variables = {
    apiToken: { type: "string" },
    resolvers: { type: "array", items: { type: "string" } },
    waitSeconds: { type: "number" },
  };
  expect(await schemaOf(mxheroProvider({}))).toMatchObject({
    config: { variables },
    provider: { inputProperties: variables },
  });
});
