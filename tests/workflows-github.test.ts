/**
 * The workflows where they need no engine: pull requests from forks, merges that nobody has reviewed, previews that
 * end without a report. Each runs from its own file, in a partner's repository.
 */
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { markerOf } from "../github/own-text.ts";
import { testNet } from "../lab/test-net.ts";
import { Partner, tenantFile } from "./partner.ts";

const parts = new AsyncDisposableStack();
let partner: Partner;

const secret = "a-token-of-cloudflare";
const subsidiary = "a-token=of-another-account";
const contoso = "stacks/Pulumi.contoso.yaml";

beforeAll(async () => {
  const { path: directory } = parts.use(await mkdtempDisposable(join(tmpdir(), "lab-")));
  const { PATH = "", HOME = "" } = process.env;
  const secrets = {
    CLOUDFLARE_API_TOKEN: secret,
    // As a browser sends it.
    CLOUDFLARE_API_TOKENS: `OTHER=another\r\nSUBSIDIARY=${subsidiary}\r\n`,
  };
  const environments = { "mail-preview": { secrets, variables: {} } };
  partner = parts.use(
    await Partner.start({
      net: testNet,
      directory,
      machine: { PATH, HOME },
      environments,
      files: { [contoso]: tenantFile("contoso.test") },
    }),
  );
});

afterAll(() => parts.disposeAsync());

test("a fork's broken stack file gives a comment with the place and the fix, kept up to date", async () => {
  const broken = { [contoso]: tenantFile("contoso.test", { inbound: "boarder", servr: "x" }) };
  const request = await partner.open(broken, "mallory");
  const { preview, comment } = await partner.review(request, "mallory");
  expect(preview.result).toBe("failure");
  expect(preview.jobs.map(({ name, result }) => [name, result])).toEqual([
    ["preview / preview", "skipped"],
    ["preview / fork", "failure"],
  ]);
  expect(comment.log).toContain("was created");
  const [first] = partner.github.commentsOf(request.number);
  expect(first?.login).toBe("github-actions[bot]");
  expect(first?.body).toContain(`${contoso}: config mail:domains[0].inbound`);
  expect(first?.body).toContain(`${contoso}: config mail:domains[0].servr`);

  await partner.push(request, { [contoso]: tenantFile("contoso.test", { overlapSeconds: 1 }) });
  const again = await partner.review(request, "mallory");
  expect(again.preview.result).toBe("success");
  const comments = partner.github.commentsOf(request.number);
  expect(comments.map(({ id }) => id)).toEqual([first?.id]);
  const writes = partner.github.calls.filter(
    ({ method, path }) => method !== "GET" && path.includes("/comments"),
  );
  expect(writes.map(({ method, status }) => [method, status])).toEqual([
    ["POST", 201],
    ["PATCH", 200],
  ]);
  expect(comments[0]?.body).toContain("no fault was found");
  expect(comments[0]?.body).toContain("Nobody has seen what would happen to any mail");
}, 120_000);

test("a file that is no YAML is told with line and column", async () => {
  const request = await partner.open({ "stacks/Pulumi.new.yaml": "config:\n  a: [\n" }, "mallory");
  await partner.review(request, "mallory");
  const [comment] = partner.github.commentsOf(request.number);
  expect(comment?.body).toMatch(/stacks\/Pulumi\.new\.yaml: line \d+, column \d+\n/);
}, 120_000);

test("what a fork leaves behind in another form says nothing", async () => {
  const list = JSON.stringify([{ stack: "contoso", markdown: "# All is well" }]);
  const request = await partner.open(await withScript("stack-files", leaving(list)), "mallory");
  const { preview, comment } = await partner.review(request, "mallory");
  expect(preview.result).toBe("success");
  expect(comment.result).toBe("failure");
  expect(partner.github.commentsOf(request.number)).toEqual([]);
}, 120_000);

test("a fork's code is given no secret, and a branch of the repository that of its environment", async () => {
  const given = `CLOUDFLARE_API_TOKEN=${secret}|CLOUDFLARE_API_TOKEN_SUBSIDIARY=${subsidiary}`;
  const counting = `${leaving("[]")}; env | grep -cxE "${given}" #`;
  const forked = await partner.open(await withScript("stack-files", counting), "mallory");
  const fork = await partner.review(forked, "mallory");
  expect(fork.preview.log).toContain("\n0\n");
  const own = await partner.open(await withScript("fleet", counting));
  expect((await partner.review(own)).preview.log).toContain("\n2\n");
}, 120_000);

test("a preview that ends without a report is told, with the way to its log", async () => {
  const request = await partner.open(await withScript("fleet", "echo no engine; exit 1 #"));
  const { preview, comment } = await partner.review(request);
  expect(preview.result).toBe("failure");
  expect(comment.result).toBe("success");
  const [told] = partner.github.commentsOf(request.number);
  expect(told?.body).toContain("ended without a report");
  expect(told?.body).toContain(`/actions/runs/${preview.run.id}`);
}, 120_000);

test("a comment for a commit that is no longer the last one is not written", async () => {
  const request = await partner.open({ [contoso]: "config: {}\n" }, "mallory");
  partner.github.pushTo(request.number, "f".repeat(40));
  const { comment } = await partner.review(request, "mallory");
  expect(comment.result).toBe("success");
  expect(comment.log).toContain("Nothing was written.");
  expect(partner.github.commentsOf(request.number)).toEqual([]);
}, 120_000);

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

test("a destroy whose name is typed in two ways does nothing", async () => {
  const run = await partner.dispatch("destroy.yml", {
    stack: "contoso",
    confirm: "contso",
    "offboard-at-most": 1,
  });
  expect(run.jobs.map(({ name, result }) => [name, result])).toEqual([
    ["destroy / confirm", "failure"],
    ["destroy / preview", "skipped"],
    ["destroy / destroy", "skipped"],
  ]);
  expect(run.jobs[0]?.summary).toContain("nothing was done");
});

test("a merge by which more domains leave in all than one run lets go does nothing", async () => {
  const names = ["one", "two"];
  const files = names.map((name) => [`stacks/Pulumi.${name}.yaml`, tenantFile(`${name}.test`)]);
  const reports = names.map((name) => leavingReport(name));
  const request = await partner.open({
    ...Object.fromEntries(files),
    ...(await withScript("fleet", reporting(reports))),
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

test("tenants at a gateway that changes are told, before the merge and after it", async () => {
  await partner.repository.commit("main", {
    "stacks/Pulumi.follows.yaml": tenantFile("follows.test").replace(
      /^ {2}mail:gateway:\n(?: {4}.*\n)+/m,
      "  mail:gateway:\n    stack: organization/mail/gateway\n",
    ),
  });
  const gateway = { ...leavingReport("gateway"), kind: "gateway", domains: [] };
  const request = await partner.open({
    "stacks/Pulumi.gateway.yaml": "config:\n  gateway:name: example\n",
    ...(await withScript("fleet", reporting([gateway]))),
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
  const request = await partner.open(await withScript("fleet", reporting([report])));
  await partner.review(request);
  const run = await partner.merge(request);
  const [first] = run.jobs;
  expect([first?.name, first?.result]).toEqual(["up / reviewed", "failure"]);
  const bodies = partner.github.commentsOf(request.number).map(({ body }) => body);
  expect(bodies.filter((body) => body.startsWith(markerOf("up")))).not.toContainEqual(
    expect.stringContaining("evil.test"),
  );
}, 120_000);

test("a night that ends before it has looked at anything opens the issue, with the way to its log", async () => {
  await partner.repository.commit(
    "main",
    await withScript("fleet", "echo wrong passphrase; exit 2 #"),
  );
  const night = await partner.dispatch("drift.yml", {}, "schedule");
  expect(night.jobs.map(({ name, result }) => [name, result])).toEqual([
    ["drift / look", "failure"],
    ["drift / tell", "failure"],
  ]);
  const [issue, ...others] = partner.github.issues();
  expect(others).toEqual([]);
  expect(issue?.title).toBe("Mail: 2 not read in all stacks");
  expect(issue?.body).toContain("nobody knows whether anything differs");
  expect(issue?.body).toContain(`/actions/runs/${night.run.id}`);
}, 120_000);

/** Of a stack with one domain that leaves. */
function leavingReport(stack: string): object {
  const domain = `${stack}.test`;
  const lists = { settings: [], notices: [], duration: [], steps: [], risks: [], unread: [] };
  return {
    stack,
    kind: "tenant",
    status: "changed",
    isDestroyed: false,
    summary: "It leaves.",
    domains: [{ domain, displayName: domain, change: "offboard", summary: "It leaves.", ...lists }],
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

/** The package.json of the repository with another script in the place of one. */
async function withScript(name: string, script: string) {
  const packageJson = JSON.parse(await partner.repository.read("package.json"));
  const scripts = { ...packageJson.scripts, [name]: script };
  return { "package.json": JSON.stringify({ ...packageJson, scripts }) };
}

function leaving(json: string): string {
  return `mkdir -p report && echo '${json}' > report/stack-files.json`;
}
