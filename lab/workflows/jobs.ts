/** The jobs of a workflow, and of the reusable workflows that they call. */
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Before, type Contexts, fill, fillAll, isMet } from "./expression.ts";
import { type JobResult, runSteps, type Surroundings } from "./job.ts";
import { type Job, readWorkflow, type Workflow } from "./workflow-file.ts";

const ownWorkflows = fileURLToPath(new URL("../../.github/workflows/", import.meta.url));

/** Runs all of them, and gives their results in the order in which they ended. */
export async function runJobs(workflow: Workflow, around: Surroundings): Promise<JobResult[]> {
  const done = new Map<string, JobResult[]>();
  const waiting = new Map(Object.entries(workflow.jobs));
  while (waiting.size > 0) {
    const next = [...waiting].find(([, job]) => job.needs.every((name) => done.has(name)));
    if (next === undefined) throw new Error("The jobs need one another in a circle.");
    const [name, job] = next;
    waiting.delete(name);
    done.set(name, await runJob(name, job, workflow, around, done));
  }
  return [...done.values()].flat();
}

/** One result, or one for each value of its matrix. */
async function runJob(
  name: string,
  job: Job,
  workflow: Workflow,
  around: Surroundings,
  done: ReadonlyMap<string, readonly JobResult[]>,
): Promise<JobResult[]> {
  const needs = Object.fromEntries(job.needs.map((each) => [each, needed(done.get(each) ?? [])]));
  const contexts = { ...around.contexts, needs };
  const before = beforeOf([...ancestors(job, workflow)].flatMap((each) => done.get(each) ?? []));
  if (!isMet(job.if, contexts, before)) {
    const nothing = { environment: undefined, concurrency: undefined, outputs: {} };
    return [{ name, result: "skipped", ...nothing, log: "", summary: "" }];
  }
  const here = { ...around, contexts };
  if (job.uses !== undefined) return callWorkflow(name, job, workflow, here);
  const results: JobResult[] = [];
  const all = matrixOf(job, contexts);
  for (const matrix of all) {
    const strategy = { "job-total": all.length };
    const values = { ...here, contexts: { ...contexts, matrix, strategy } };
    results.push(await runSteps(nameOf(name, matrix), job, workflow, values));
  }
  return results;
}

function ancestors(job: Job, workflow: Workflow): Set<string> {
  const direct = job.needs.map((name) => [name, workflow.jobs[name]] as const);
  return new Set(
    direct.flatMap(([name, each]) => [name, ...(each ? ancestors(each, workflow) : [])]),
  );
}

function beforeOf(results: readonly JobResult[]): Before {
  return {
    succeeded: results.every(({ result }) => result === "success"),
    failed: results.some(({ result }) => result === "failure"),
  };
}

function needed(results: readonly JobResult[]) {
  const worst = ["failure", "skipped"].find((each) =>
    results.some(({ result }) => result === each),
  );
  return { result: worst ?? "success", outputs: results.at(-1)?.outputs ?? {} };
}

/** Of one dimension. */
function matrixOf(job: Job, contexts: Contexts): readonly Readonly<Record<string, unknown>>[] {
  const [dimension] = Object.entries(job.strategy?.matrix ?? {});
  if (dimension === undefined) return [{}];
  const [key, template] = dimension;
  const values = fill(template, contexts);
  if (!Array.isArray(values) || values.length === 0) throw new Error(`Matrix ${key} is empty.`);
  if (values.length > 256) throw new Error(`Matrix ${key} has more than 256 values.`);
  return values.map((value: unknown) => ({ [key]: value }));
}

function nameOf(name: string, matrix: Readonly<Record<string, unknown>>): string {
  return [name, ...Object.values(matrix)].join(" ");
}

/** A reusable workflow is one of this project's. It gets the secrets that are passed, and no other. */
async function callWorkflow(
  name: string,
  job: Job,
  workflow: Workflow,
  around: Surroundings,
): Promise<JobResult[]> {
  const called = await readWorkflow(join(ownWorkflows, basename(job.uses?.split("@")[0] ?? "")));
  const { inputs, secrets } = called.on.workflow_call ?? { inputs: {}, secrets: {} };
  refuseUnknown("input", Object.keys(job.with), Object.keys(inputs));
  refuseUnknown("secret", Object.keys(job.secrets), Object.keys(secrets));
  const given = Object.entries(inputs).map(([key, { default: otherwise, required }]) => {
    if (required && !(key in job.with)) throw new Error(`${name} gives no input ${key}.`);
    return [key, key in job.with ? fill(job.with[key], around.contexts) : otherwise] as const;
  });
  const results = await runJobs(called, {
    ...around,
    contexts: { github: around.contexts["github"], inputs: Object.fromEntries(given) },
    secrets: fillAll(job.secrets, { ...around.contexts, secrets: {} }),
    granted: job.permissions ?? workflow.permissions,
  });
  return results.map((each) => ({ ...each, name: `${name} / ${each.name}` }));
}

function refuseUnknown(what: string, given: readonly string[], known: readonly string[]): void {
  const unknown = given.filter((each) => !known.includes(each));
  if (unknown.length > 0) throw new Error(`There is no ${what} ${unknown.join(", ")}.`);
}
