/**
 * The workflows with the real engine: each runs from its own file, in a partner's repository at the lab's GitHub, with
 * a pull request's commits. Previews have a token that only reads. What needs no engine is in
 * tests/workflows-github.test.ts.
 */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { markedDetails } from "../github/own-text.ts";
import { testNet } from "../lab/test-net.ts";
import { dividedEnv, Partner, type PullRequest, tenantFile } from "./partner.ts";
import { gatewayMx, mx, startTenantLab, type TenantLab, type TenantZone, txt } from "./tenant.ts";

vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

const parts = new AsyncDisposableStack();
let lab: TenantLab;
let partner: Partner;
const zones = new Map<string, TenantZone>();
/** What happens while the next job waits for an environment's reviewers. */
let untilApproved: (() => Promise<void>) | undefined;

const domains = ["one.test", "two.test"];
const fileOf = (domain: string) => `stacks/Pulumi.${domain.replace(".test", "")}.yaml`;

beforeAll(async () => {
  lab = parts.use(await startTenantLab());
  for (const domain of domains) await addDomain(domain);
  partner = parts.use(await startPartner());
});

afterAll(() => parts.disposeAsync());

/** With a zone, and a Server that the gateway knows. */
async function addDomain(domain: string): Promise<TenantZone> {
  const records = [mx(domain, 10, `mail.${domain}`), txt(domain, `v=spf1 a:mail.${domain} -all`)];
  const zone = await lab.addZone(domain, records);
  lab.world.gateway?.routes.set(domain, { server: `mail.${domain}` });
  zones.set(domain, zone);
  return zone;
}

function startPartner(): Promise<Partner> {
  const { world, project } = lab;
  const permissions = ["zone:read", "dns:read"] as const;
  const reads = world.cloudflare.addToken({ name: "preview", permissions });
  const { machine, environments } = dividedEnv(project.env, reads);
  const waits = {
    untilApproved: async () => {
      const happens = untilApproved;
      untilApproved = undefined;
      await happens?.();
    },
  };
  return Partner.start({
    net: testNet,
    directory: world.directory,
    machine,
    environments: {
      ...environments,
      "mail-production": { ...environments["mail-production"], ...waits },
      "mail-offboarding": { ...environments["mail-offboarding"], ...waits },
    },
    files: { "README.md": "Our mail.\n" },
  });
}

/** The comments of a kind. */
function told(request: PullRequest, about: string): string[] {
  const bodies = partner.github.commentsOf(request.number).map(({ body }) => body);
  return bodies.filter((body) => markedDetails(body, about) !== undefined);
}

const report = (request: PullRequest) => told(request, "mail-path report");

function mxOf(domain: string): string[] {
  const records = zones.get(domain)?.snapshot() ?? [];
  const found = records.filter(({ name, type }) => type === "MX" && name === domain);
  return found.map(({ priority, content }) => `${priority} ${content}`);
}

/** Of a run that failed its log is shown. */
function expectSuccess({ result, log }: { readonly result: string; readonly log: string }): void {
  if (result !== "success") throw new Error(`The run was expected to succeed:\n${log}`);
}

test("a pull request gets one comment, kept up to date; its merge does what was reviewed", async () => {
  const request = await partner.open({ [fileOf("one.test")]: tenantFile("one.test") });
  lab.world.cloudflare.clearLogs();
  const { preview, comment } = await partner.review(request);
  expectSuccess(preview);
  expectSuccess(comment);
  expect(lab.world.cloudflare.commits).toEqual([]);
  expect(report(request)).toHaveLength(1);
  expect(report(request)[0]).toContain("one.test");
  expect(report(request)[0]).toContain("mail.one.test");

  await partner.push(request, { "README.md": "Our mail, and more.\n" });
  await partner.push(request, { [fileOf("two.test")]: tenantFile("two.test") });
  await partner.review(request);
  expect(partner.github.commentsOf(request.number)).toHaveLength(1);
  expect(report(request)[0]).toContain("two.test");

  const up = await partner.merge(request);
  expectSuccess(up);
  expect(up.jobs.map(({ name, result }) => [name, result])).toEqual([
    ["up / reviewed", "success"],
    ["up / preview", "skipped"],
    ["up / gateways", "skipped"],
    ["up / tenants one", "success"],
    ["up / tenants two", "success"],
    ["up / tell", "success"],
  ]);
  const tenants = up.jobs.filter(({ name }) => name.includes("tenants"));
  expect(tenants.map(({ environment, concurrency }) => [environment, concurrency])).toEqual([
    ["mail-production", "mail-stack-one"],
    ["mail-production", "mail-stack-two"],
  ]);
  expect([mxOf("one.test"), mxOf("two.test")]).toEqual([gatewayMx, gatewayMx]);
  expect(told(request, "up")).toHaveLength(1);
});

test("where the world has changed since the review, nothing is done, and it is said", async () => {
  const zone = await addDomain("three.test");
  const request = await partner.open({ [fileOf("three.test")]: tenantFile("three.test") });
  await partner.review(request);
  const further = mx("three.test", 20, "backup.mail-host.test");
  await lab.world.cloudflare.edit(zone.id, { add: [further] });
  const up = await partner.merge(request);
  expect(up.result).toBe("failure");
  expect(mxOf("three.test")).toEqual(["10 mail.three.test", "20 backup.mail-host.test"]);
  expect(told(request, "up")[0]).toContain("no longer what was reviewed");

  // By hand it is previewed anew, and what is approved then is done.
  const byHand = await partner.dispatch("up.yml", { stack: "three" });
  expectSuccess(byHand);
  expect(byHand.jobs.find(({ name }) => name === "up / preview")?.summary).toContain(
    "backup.mail-host.test",
  );
  expect(mxOf("three.test")).toEqual(gatewayMx);
});

const slowly = (seconds: number) => ({
  [fileOf("two.test")]: tenantFile("two.test", { overlapSeconds: seconds }),
});

test("what a change takes back that waited for its approval is not lost", async () => {
  const change = await partner.open(slowly(1));
  await partner.review(change);
  let back: PullRequest | undefined;
  untilApproved = async () => {
    // Nothing is done yet, so that its preview sees no change.
    back = await partner.open(slowly(0));
    expectSuccess((await partner.review(back)).preview);
    expect(report(back)[0]).toContain("Nothing changes");
  };
  const up = await partner.merge(change);
  expectSuccess(up);
  if (back === undefined) throw new Error("Nothing waited for an approval.");
  const merged = await partner.merge(back);
  expect(merged.jobs.map(({ name, result }) => [name, result])).toContainEqual([
    "up / tenants two",
    "failure",
  ]);
  expect(told(back, "up")[0]).toContain("When it was reviewed the preview was: unchanged");

  const again = await partner.rerun(up);
  expect(again.result).toBe("failure");
  expect(again.log).toContain("This run was run again");
  const concurrency = again.jobs.flatMap((job) => job.concurrency ?? []);
  expect(concurrency).toEqual(["mail-stack-two-again"]);

  expectSuccess(await partner.dispatch("up.yml", { stack: "two" }));
});

test("an approval that comes after a later change does not take that back", async () => {
  const request = await partner.open(slowly(1));
  await partner.review(request);
  untilApproved = async () => void (await partner.repository.commit("main", slowly(0)));
  const state = await lab.storedState();
  const up = await partner.merge(request);
  expect(up.result).toBe("failure");
  expect(up.log).toContain("The branch says something else by now");
  expect(await lab.storedState()).toEqual(state);
  expect(told(request, "up")[0]).toContain("would take the later change back");
});

test("a broken stack file gives a comment with the place and the fix, beside the others' reports", async () => {
  const request = await partner.open({
    [fileOf("one.test")]: tenantFile("one.test", { inbound: "boarder" }),
    [fileOf("two.test")]: tenantFile("two.test", { outbound: "none" }),
  });
  const { preview, comment } = await partner.review(request);
  expect([preview.result, comment.result]).toEqual(["failure", "success"]);
  expect(report(request)[0]).toContain(`${fileOf("one.test")}: config mail:domains[0].inbound`);
  expect(report(request)[0]).toContain("two.test");
});

test("every night one issue tells of what differs, and is closed when all is well", async () => {
  const night = () => partner.dispatch("drift.yml", {}, "schedule");
  const well = await night();
  expectSuccess(well);
  expect(partner.github.issues()).toEqual([]);

  const { id = "" } = zones.get("one.test") ?? {};
  const gone = lab.world.cloudflare.snapshot(id).filter(({ type }) => type === "MX");
  const instead = mx("one.test", 5, "mail.one.test");
  await lab.world.cloudflare.edit(id, { remove: gone, add: [instead] });
  await night();
  await night();
  expect(partner.github.issues()).toHaveLength(1);
  expect(partner.github.issues()[0]).toMatchObject({ state: "open" });
  expect(partner.github.issues()[0]?.body).toContain("mail.one.test");

  expectSuccess(await partner.dispatch("up.yml", { stack: "one" }));
  expect(mxOf("one.test")).toEqual(["5 mail.one.test"]);
  expectSuccess(await partner.dispatch("up.yml", { stack: "one", refresh: true }));
  expect(mxOf("one.test")).toEqual(gatewayMx);
  await night();
  expect(partner.github.issues()).toMatchObject([{ state: "closed" }]);
});

function destroyTwo() {
  const names = { stack: "two", confirm: "two" };
  return partner.dispatch("destroy.yml", { ...names, "offboard-at-most": 1 });
}

test("a destroy that is approved when the branch says something else by then does nothing", async () => {
  const { repository } = partner;
  const text = await repository.read(fileOf("two.test"));
  untilApproved = async () => {
    const changed = { [fileOf("two.test")]: `${text}# Two stays.\n` };
    await repository.commit("main", changed);
  };
  const destroy = await destroyTwo();
  expect(destroy.jobs.map(({ result }) => result)).toEqual(["success", "success", "failure"]);
  expect(destroy.jobs[2]?.summary).toContain("The branch says something else by now");
  expect(mxOf("two.test")).toEqual(gatewayMx);
});

test("a destroy that was confirmed takes the stack off the gateway, also where its file is gone", async () => {
  const request = await partner.open({ [fileOf("two.test")]: null });
  await partner.review(request);
  const merged = await partner.merge(request);
  expectSuccess(merged);
  expect(mxOf("two.test")).toEqual(gatewayMx);
  expect(told(request, "up")[0]).toContain("until the workflow destroy is run");

  const destroy = await destroyTwo();
  expectSuccess(destroy);
  expect(destroy.jobs.map(({ name, environment }) => [name, environment])).toEqual([
    ["destroy / confirm", undefined],
    ["destroy / preview", "mail-preview"],
    ["destroy / destroy", "mail-offboarding"],
  ]);
  // Whoever approves it reads what will happen.
  expect(destroy.jobs[1]?.summary).toContain("two.test");
  expect(mxOf("two.test")).toEqual(["10 mail.two.test"]);
});
