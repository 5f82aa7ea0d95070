/**
 * The workflows where they need no engine: pull requests from forks, previews and nights that end without a report.
 * Each runs from its own file, in a partner's repository. What follows a merge is in tests/workflows-merge.test.ts.
 */
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
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
  const request = await partner.open(
    await partner.withScript("stack-files", leaving(list)),
    "mallory",
  );
  const { preview, comment } = await partner.review(request, "mallory");
  expect(preview.result).toBe("success");
  expect(comment.result).toBe("failure");
  expect(partner.github.commentsOf(request.number)).toEqual([]);
}, 120_000);

test("a fork's code is given no secret, and a branch of the repository that of its environment", async () => {
  const given = `CLOUDFLARE_API_TOKEN=${secret}|CLOUDFLARE_API_TOKEN_SUBSIDIARY=${subsidiary}`;
  const counting = `${leaving("[]")}; env | grep -cxE "${given}" #`;
  const forked = await partner.open(await partner.withScript("stack-files", counting), "mallory");
  const fork = await partner.review(forked, "mallory");
  expect(fork.preview.log).toContain("\n0\n");
  const own = await partner.open(await partner.withScript("fleet", counting));
  expect((await partner.review(own)).preview.log).toContain("\n2\n");
}, 120_000);

test("a preview that ends without a report is told, with the way to its log", async () => {
  const request = await partner.open(await partner.withScript("fleet", "echo no engine; exit 1 #"));
  const { preview, comment } = await partner.review(request);
  expect(preview.result).toBe("failure");
  expect(comment.result).toBe("success");
  const [told] = partner.github.commentsOf(request.number);
  expect(told?.body).toContain("ended without a report");
  expect(told?.body).toContain(`/actions/runs/${preview.run.id}`);
}, 120_000);

test("a report of another version gives a comment that says so, and which run to read", async () => {
  const text = JSON.stringify([{ stack: "contoso", later: true }]);
  const script = `mkdir -p report && echo '${text}' > report/report.json; : > report/comment.md #`;
  const request = await partner.open(await partner.withScript("fleet", script));
  const { preview, comment } = await partner.review(request);
  expect([preview.result, comment.result]).toEqual(["success", "success"]);
  const [told] = partner.github.commentsOf(request.number);
  expect(told?.body).toContain("report-of-other-version");
  expect(told?.body).toContain(
    `[the summary of its run](https://github.test/example/mail/actions/runs/${preview.run.id}/attempts/1)`,
  );
  expect(told?.body).not.toContain("Nothing changes");
}, 120_000);

test("a comment for a commit that is no longer the last one is not written", async () => {
  const request = await partner.open({ [contoso]: "config: {}\n" }, "mallory");
  partner.github.pushTo(request.number, "f".repeat(40));
  const { comment } = await partner.review(request, "mallory");
  expect(comment.result).toBe("success");
  expect(comment.log).toContain("Nothing was written.");
  expect(partner.github.commentsOf(request.number)).toEqual([]);
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

test("a night that ends before it has looked at anything opens the issue, with the way to its log", async () => {
  await partner.repository.commit(
    "main",
    await partner.withScript("fleet", "echo wrong passphrase; exit 2 #"),
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

function leaving(json: string): string {
  return `mkdir -p report && echo '${json}' > report/stack-files.json`;
}
