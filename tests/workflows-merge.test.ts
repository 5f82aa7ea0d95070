/**
 * What the workflow `up` does and leaves alone after a merge, where that needs no engine: what nobody has reviewed, too
 * many domains that leave, organisations at a gateway that changes. The preview is a script that leaves a report.
 */
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { markerOf } from "../github/own-text.ts";
import { testNet } from "../lab/test-net.ts";
import type { StackReport } from "../report/stack-report.ts";
import { Partner, tenantFile } from "./partner.ts";

const parts = new AsyncDisposableStack();
let partner: Partner;

const contoso = "stacks/Pulumi.contoso.yaml";

beforeAll(async () => {
  const { path: directory } = parts.use(await mkdtempDisposable(join(tmpdir(), "lab-")));
  const { PATH = "", HOME = "" } = process.env;
  const machine = { PATH, HOME };
  const files = { [contoso]: tenantFile("contoso.test") };
  const options = { net: testNet, directory, machine, environments: {}, files };
  partner = parts.use(await Partner.start(options));
});

afterAll(() => parts.disposeAsync());

test("what was pushed without a pull request is not done", async () => {
  const run = await partner.pushToMain({
    [contoso]: tenantFile("contoso.test", { outbound: "none" }),
  });
  expect(run.jobs.map(({ name, result }) => [name, result])).toEqual([
    ["up / reviewed", "failure"],
    ["up / preview", "skipped"],
    ["up / gateways", "skipped"],
    ["up / tenants", "skipped"],
    ["up / tell", "skipped"],
  ]);
  expect(run.log).toContain("It was pushed without a pull request");
}, 120_000);

test("what no stack depends on needs no review, and does nothing", async () => {
  const run = await partner.pushToMain({ "README.md": "Our mail.\n" });
  expect(run.jobs.map(({ name, result }) => [name, result])).toEqual([
    ["up / reviewed", "success"],
    ["up / preview", "skipped"],
    ["up / gateways", "skipped"],
    ["up / tenants", "skipped"],
    ["up / tell", "skipped"],
  ]);
  const program = await partner.pushToMain({ "hook.ts": "// Beside the stack files.\n" });
  expect(program.log).toContain("It was pushed without a pull request");
}, 120_000);

test("a stack whose file a merge changes, and that no report names, is not left out in silence", async () => {
  const request = await partner.open({
    "stacks/Pulumi.named.yaml": tenantFile("named.test"),
    "stacks/Pulumi.missed.yaml": tenantFile("missed.test"),
    ...(await partner.withScript("fleet", reporting([{ ...leavingReport("named"), domains: [] }]))),
  });
  await partner.review(request);
  const run = await partner.merge(request);
  expect(run.result).toBe("failure");
  const told = partner.github.commentsOf(request.number).at(-1);
  expect(told?.body).toContain("stacks/Pulumi.missed.yaml: The push changes this file");
}, 120_000);

test("what came from a fork is not done, and the pull request is told", async () => {
  const request = await partner.open({ [contoso]: tenantFile("contoso.test") }, "mallory");
  await partner.review(request, "mallory");
  const run = await partner.merge(request);
  expect(run.result).toBe("failure");
  const told = partner.github
    .commentsOf(request.number)
    .find(({ body }) => body.startsWith(markerOf("up")));
  expect(told?.body).toContain("It came from a fork");
}, 120_000);

test("a merge by which more domains leave in all than one run lets go does nothing", async () => {
  const names = ["one", "two"];
  const files = names.map((name) => [`stacks/Pulumi.${name}.yaml`, tenantFile(`${name}.test`)]);
  const reports = names.map((name) => leavingReport(name));
  const request = await partner.open({
    ...Object.fromEntries(files),
    ...(await partner.withScript("fleet", reporting(reports))),
  });
  await partner.review(request);
  const [comment] = partner.github.commentsOf(request.number);
  expect(comment?.body).toContain("A merge will do nothing");
  const run = await partner.merge(request);
  expect(run.jobs.map(({ name, result }) => [name, result])).toContainEqual([
    "up / reviewed",
    "failure",
  ]);
  expect(run.jobs.map(({ name }) => name)).toContain("up / tenants");
  expect(run.jobs.filter(({ result }) => result === "success").map(({ name }) => name)).toEqual([
    "up / tell",
  ]);
  const told = partner.github.commentsOf(request.number).at(-1);
  expect(told?.body).toContain("2 domains would leave the gateway: one.test (one), two.test (two)");
}, 120_000);

test("a merge does only what the comment shows: of the last commit, by the last run and attempt", async () => {
  const file = "stacks/Pulumi.three.yaml";
  const report = { ...leavingReport("three"), domains: [] };
  const request = await partner.open({
    [file]: tenantFile("three.test"),
    ...(await partner.withScript("fleet", reporting([report]))),
  });
  const { preview } = await partner.review(request);
  const former = await partner.repository.head(request.branch);
  const [{ body } = { body: "" }] = partner.github.commentsOf(request.number);
  expect(body).toContain(
    `Of commit \`${former.slice(0, 10)}\`, by [run ${preview.run.id}, attempt 1]`,
  );

  // Its preview ends well, and the run that would write the comment does not.
  await partner.push(request, { [file]: tenantFile("three.test", { outbound: "none" }) });
  const last = await partner.preview(request);
  expect(last.result).toBe("success");
  const run = await partner.merge(request);
  expect(run.jobs.map(({ name, result }) => [name, result])).toContainEqual([
    "up / reviewed",
    "failure",
  ]);
  const told = partner.github.commentsOf(request.number).at(-1);
  expect(told?.body).toContain(`has left for the commit ${former}`);
  expect(told?.body).toContain(`The last report is another one, of run ${last.run.id}, attempt 1`);
}, 120_000);

test("a preview that was run again after the comment is not what was reviewed", async () => {
  const report = { ...leavingReport("four"), domains: [] };
  const request = await partner.open({
    "stacks/Pulumi.four.yaml": tenantFile("four.test"),
    ...(await partner.withScript("fleet", reporting([report]))),
  });
  const { preview } = await partner.review(request);
  const again = await partner.rerun(preview);
  const refused = await partner.merge(request);
  expect(refused.log).toContain(
    `The last report is another one, of run ${again.run.id}, attempt 2`,
  );
}, 120_000);

test("tenants at a gateway that changes are told, before the merge and after it", async () => {
  await partner.repository.commit("main", {
    "stacks/Pulumi.follows.yaml": tenantFile("follows.test").replace(
      /^ {2}mail:gateway:\n(?: {4}.*\n)+/m,
      "  mail:gateway:\n    stack: organization/mail/gateway\n",
    ),
  });
  const gateway = { ...leavingReport("gateway"), kind: "gateway" as const, domains: [] };
  const request = await partner.open({
    "stacks/Pulumi.gateway.yaml": "config:\n  gateway:name: example\n",
    ...(await partner.withScript("fleet", reporting([gateway]))),
  });
  await partner.review(request);
  const run = await partner.merge(request);
  expect(run.jobs.map(({ name }) => name)).toContain("up / gateways gateway");
  const bodies = partner.github.commentsOf(request.number).map(({ body }) => body);
  expect(bodies).toHaveLength(2);
  for (const body of bodies) {
    expect(body).toContain("At a gateway that changes: `follows`.");
  }
}, 120_000);

test("a report whose stack has a name that none has is not taken", async () => {
  const report = leavingReport("../[x](https://evil.test)");
  const request = await partner.open(await partner.withScript("fleet", reporting([report])));
  await partner.review(request);
  const run = await partner.merge(request);
  const [first] = run.jobs;
  expect([first?.name, first?.result]).toEqual(["up / reviewed", "failure"]);
  const bodies = partner.github.commentsOf(request.number).map(({ body }) => body);
  expect(bodies.filter((body) => body.startsWith(markerOf("up")))).not.toContainEqual(
    expect.stringContaining("evil.test"),
  );
}, 120_000);

test("what is vouched for by hand reaches the run, and nothing else does", async () => {
  const printing = "env | grep ^MXHERO_ | sort; exit 1 #";
  await partner.repository.commit("main", await partner.withScript("fleet", printing));
  const destroy = (confirmations: string) => {
    const names = { stack: "contoso", confirm: "contoso", "offboard-at-most": 1 };
    return partner.dispatch("destroy.yml", { ...names, confirmations });
  };
  const words = "MXHERO_OUTBOUND_STOPPED=a.test,b.test MXHERO_HAND_BACK_CONFIRMED=a.test";
  const run = await destroy(words);
  expect(run.log).toContain(words.split(" ").toSorted().join("\n"));
  const preview = run.jobs.find(({ name }) => name === "destroy / preview");
  expect(preview?.summary).toContain("Confirmed: `MXHERO_OUTBOUND_STOPPED=a.test,b.test`");

  for (const wrong of ["PATH=/tmp", "MXHERO_OUTBOUND_STOPPED=", `${words} MXHERO_RESOLVERS=::1`]) {
    const refused = await destroy(wrong);
    expect(refused.result).toBe("failure");
    expect(refused.log).toContain("A word that no refusal asks for");
    expect(refused.log).not.toContain("MXHERO_RESOLVERS=::1\n");
  }
}, 120_000);

/** Of a stack with one domain that leaves. */
function leavingReport(stack: string): StackReport {
  const domain = `${stack}.test`;
  const lists = { settings: [], notices: [], duration: [], steps: [], risks: [], unread: [] };
  return {
    stack,
    kind: "tenant",
    status: "changed",
    isDestroyed: false,
    summary: "It leaves.",
    domains: [
      {
        domain,
        displayName: domain,
        change: "offboard",
        isFromState: true,
        summary: "It leaves.",
        ...lists,
      },
    ],
    faults: [],
    risks: [],
    technical: [],
    changeDigest: "0",
  };
}

/** The script of a preview that finds this. */
function reporting(reports: readonly object[]): string {
  const left = `echo '${JSON.stringify(reports)}' > report/report.json; : > report/comment.md`;
  return `mkdir -p report && ${left} #`;
}
