/** A workflow as its file says it. What the runner does not know is refused, so that nothing is skipped unseen. */
import { readFile } from "node:fs/promises";
import { parse } from "yaml";
import { z } from "zod";

const values = z.record(z.string(), z.unknown());
const permissions = z.record(z.string(), z.enum(["read", "write", "none"]));
const concurrency = z.strictObject({
  group: z.string(),
  "cancel-in-progress": z.boolean().optional(),
  queue: z.string().optional(),
});

const step = z.strictObject({
  id: z.string().optional(),
  name: z.string().optional(),
  if: z.string().optional(),
  uses: z.string().optional(),
  with: values.default({}),
  run: z.string().optional(),
  env: values.default({}),
  shell: z.literal("bash").optional(),
  "continue-on-error": z.boolean().default(false),
});

const job = z.strictObject({
  name: z.string().optional(),
  if: z.string().optional(),
  needs: z.union([z.string().transform((name) => [name]), z.array(z.string())]).default([]),
  permissions: permissions.optional(),
  concurrency: concurrency.optional(),
  environment: z.string().optional(),
  outputs: values.default({}),
  env: values.default({}),
  strategy: z
    .strictObject({
      "fail-fast": z.boolean().optional(),
      "max-parallel": z.number().optional(),
      matrix: z.record(z.string(), z.string()),
    })
    .optional(),
  "runs-on": z.string().optional(),
  "timeout-minutes": z.unknown().optional(),
  steps: z.array(step).default([]),
  uses: z.string().optional(),
  with: values.default({}),
  secrets: values.default({}),
});

const called = z.strictObject({
  inputs: z
    .record(
      z.string(),
      z.strictObject({
        description: z.string(),
        type: z.enum(["string", "boolean", "number"]),
        required: z.boolean().default(false),
        default: z.unknown().optional(),
      }),
    )
    .default({}),
  secrets: z
    .record(z.string(), z.strictObject({ description: z.string(), required: z.boolean() }))
    .default({}),
});

const workflow = z.strictObject({
  name: z.string(),
  on: z.looseObject({ workflow_call: called.optional() }),
  permissions,
  concurrency: concurrency.optional(),
  env: values.default({}),
  jobs: z.record(z.string(), job),
});

export type Step = z.output<typeof step>;
export type Job = z.output<typeof job>;
export type Workflow = z.output<typeof workflow>;

/** @throws ZodError where the file has a key that the runner does not know */
export async function readWorkflow(file: string): Promise<Workflow> {
  const text = await readFile(file, "utf8");
  // Anchors are GitHub's since September 2025.
  return workflow.parse(parse(text, { merge: false }));
}
