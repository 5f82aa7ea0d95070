/** The routes of the lab's GitHub. The rights of each are those that docs.github.com/en/rest names for it. */
import { strToU8, zipSync } from "fflate";
import { type Context, Hono, type MiddlewareHandler } from "hono";
import type { Store, StoredComment, StoredIssue, StoredRun, Token } from "./store.ts";
import type { Call, Fault, Permissions } from "./types.ts";

interface Environment {
  Variables: { token: Token };
}

type ApiContext = Context<Environment>;

/** GitHub's limit of a body, in characters. */
const bodyLimit = 65_536;

/** @param url the API's address. @param onCall is told of every call when it ends */
export function createApi(store: Store, url: string, onCall: (call: Call) => void) {
  const app = new Hono<Environment>();
  app.use(log(onCall));
  // A signed address elsewhere, at GitHub: it needs no token.
  app.get("/blobs/:id", (c) => archive(store, c));
  app.use(authenticate(store), meetFaults(store));
  app.post("/graphql", (c) => c.json({ data: { viewer: { login: c.var.token.login } } }));
  app.route(`/repos/${store.repository}`, createRepository(store, url));
  app.notFound((c) => c.json({ message: "Not Found" }, 404));
  return app;
}

function createRepository(store: Store, url: string) {
  const app = new Hono<Environment>();
  addTexts(app, store, url);
  addPullRequests(app, store, url);
  addRuns(app, store, url);
  return app;
}

/** Comments and issues. A pull request is an issue as well. */
function addTexts(app: Hono<Environment>, store: Store, url: string): void {
  const readTexts = needsOne({ issues: "read", "pull-requests": "read" });
  const writeTexts = needsOne({ issues: "write", "pull-requests": "write" });
  app.get("/issues/:number/comments", readTexts, (c) =>
    page(c, url, store.issue(Number(c.req.param("number"))).comments, commentJson),
  );
  app.post("/issues/:number/comments", writeTexts, async (c) => {
    const { body = "" } = await fields(c);
    if (isTooLong(body)) return tooLong(c);
    const number = Number(c.req.param("number"));
    return c.json(commentJson(store.addComment(number, c.var.token.login, body)), 201);
  });
  app.patch("/issues/comments/:id", writeTexts, async (c) => {
    const { body = "" } = await fields(c);
    if (isTooLong(body)) return tooLong(c);
    const id = Number(c.req.param("id"));
    const comment = store.issues.flatMap(({ comments }) => comments).find((each) => each.id === id);
    if (comment === undefined) return c.notFound();
    comment.body = body;
    comment.updatedAt = store.nextTime();
    return c.json(commentJson(comment));
  });
  app.get("/issues", needsOne({ issues: "read" }), (c) => {
    const state = c.req.query("state") ?? "open";
    const found = store.issues.filter((issue) => state === "all" || issue.state === state);
    return page(c, url, found.toReversed(), issueJson);
  });
  app.post("/issues", needsOne({ issues: "write" }), async (c) => {
    const { title = "", body = "" } = await fields(c);
    if (isTooLong(body)) return tooLong(c);
    return c.json(issueJson(store.addIssue(c.var.token.login, title, body)), 201);
  });
  app.patch("/issues/:number", needsOne({ issues: "write" }), async (c) => {
    const issue = store.issue(Number(c.req.param("number")));
    const { title = issue.title, body = issue.body, state = issue.state } = await fields(c);
    if (isTooLong(body)) return tooLong(c);
    if (state !== "open" && state !== "closed") return c.json({ message: "Invalid" }, 422);
    Object.assign(issue, { title, body, state });
    return c.json(issueJson(issue));
  });
}

function addPullRequests(app: Hono<Environment>, store: Store, url: string): void {
  const read = needsOne({ "pull-requests": "read" });
  const pullRequestJson = (issue: StoredIssue) => {
    const { from, branch, commit, base, mergedAt = null } = store.pullRequest(issue.number);
    const [owner = ""] = from.split("/");
    const repo = { full_name: from, owner: { login: owner } };
    return {
      number: issue.number,
      state: issue.state,
      merged_at: mergedAt,
      head: { label: `${owner}:${branch}`, ref: branch, sha: commit, repo },
      base: { ref: base, repo: { full_name: store.repository } },
    };
  };
  const all = () => store.issues.filter(({ pullRequest }) => pullRequest !== undefined);
  app.get("/pulls", read, (c) => {
    const { state = "open", head } = c.req.query();
    const found = all().filter(
      (issue) =>
        (state === "all" || issue.state === state) &&
        (head === undefined || pullRequestJson(issue).head.label === head),
    );
    return page(c, url, found, pullRequestJson);
  });
  app.get("/issues/:number/events", needsOne({ issues: "read" }), (c) => {
    const { events } = store.pullRequest(Number(c.req.param("number")));
    return page(c, url, events, ({ event, createdAt: created_at }) => ({ event, created_at }));
  });
  app.get("/commits/:sha/pulls", read, (c) => {
    const found = store.mergedWith(c.req.param("sha"));
    return page(c, url, found, pullRequestJson);
  });
}

function addRuns(app: Hono<Environment>, store: Store, url: string): void {
  const read = needsOne({ actions: "read" });
  const runJson = ({ id, commit, status, from, attempt, createdAt }: StoredRun) => ({
    id,
    run_number: id,
    run_attempt: attempt,
    created_at: createdAt,
    status,
    head_sha: commit,
    head_repository: { full_name: from },
    html_url: `https://github.test/${store.repository}/actions/runs/${id}`,
  });
  app.get("/actions/workflows/:file/runs", read, (c) => {
    const { head_sha: commit, branch, event } = c.req.query();
    const found = store.runs.filter(
      (run) =>
        run.workflow === c.req.param("file") &&
        run.commit === commit &&
        run.branch === branch &&
        event === "pull_request",
    );
    return namedPage(c, url, "workflow_runs", found, runJson);
  });
  app.get("/actions/runs/:id/artifacts", read, (c) => {
    const run = Number(c.req.param("id"));
    const name = c.req.query("name");
    const found = store.artifacts.filter((each) => each.run === run && each.name === name);
    const artifactJson = ({ id, expired }: (typeof found)[number]) => ({ id, name, expired });
    return namedPage(c, url, "artifacts", found, artifactJson);
  });
  app.get("/actions/artifacts/:id/zip", read, (c) =>
    c.redirect(`${url}/blobs/${c.req.param("id")}`),
  );
}

function archive(store: Store, c: ApiContext): Response {
  const found = store.artifacts.find(({ id }) => id === Number(c.req.param("id")));
  if (found === undefined) return c.json({ message: "Not Found" }, 404);
  const files = Object.entries(found.files).map(([name, text]) => [name, strToU8(text)]);
  const zip = zipSync(Object.fromEntries(files));
  return c.body(new Uint8Array(zip).buffer, 200, { "content-type": "application/zip" });
}

function log(onCall: (call: Call) => void): MiddlewareHandler<Environment> {
  return async (c, next) => {
    await next();
    const { pathname, search } = new URL(c.req.url);
    onCall({ method: c.req.method, path: `${pathname}${search}`, status: c.res.status });
  };
}

function authenticate(store: Store): MiddlewareHandler<Environment> {
  return async (c, next) => {
    const [, name = ""] =
      /^(?:token|bearer) (\S+)$/i.exec(c.req.header("authorization") ?? "") ?? [];
    const token = store.tokens.get(name);
    if (token === undefined) return c.json({ message: "Bad credentials" }, 401);
    c.set("token", token);
    await next();
    return undefined;
  };
}

function meetFaults(store: Store): MiddlewareHandler<Environment> {
  return async (c, next) => {
    const index = store.faults.findIndex((fault) => isMet(c, fault));
    const [fault] = index === -1 ? [] : store.faults.splice(index, 1);
    if (fault?.moment === "after") await next();
    if (fault === undefined) return next();
    const answer = JSON.stringify({ message: "Server Error" });
    c.res = new Response(answer, {
      status: fault.status,
      headers: { "content-type": "application/json" },
    });
    return undefined;
  };
}

function isMet(c: ApiContext, { method, path }: Fault): boolean {
  return c.req.method === method && c.req.path.includes(path);
}

/** One of these rights is enough. */
function needsOne(rights: Permissions): MiddlewareHandler<Environment> {
  return async (c, next) => {
    const { permissions } = c.var.token;
    const isGiven = Object.entries(rights).some(
      ([name, right]) => permissions[name] === "write" || permissions[name] === right,
    );
    if (!isGiven) return c.json({ message: "Resource not accessible by integration" }, 403);
    await next();
    return undefined;
  };
}

async function fields(c: ApiContext): Promise<Readonly<Partial<Record<string, string>>>> {
  const given: unknown = await c.req.json();
  const entries = Object.entries(typeof given === "object" && given !== null ? given : {});
  return Object.fromEntries(entries.filter(([, value]) => typeof value === "string"));
}

function isTooLong(body: string): boolean {
  return body.length > bodyLimit;
}

function tooLong(c: ApiContext) {
  return c.json({ message: "Validation Failed: body is too long" }, 422);
}

function page<T>(c: ApiContext, url: string, items: readonly T[], json: (item: T) => object) {
  return c.json(cut(c, url, items).map(json));
}

function namedPage<T>(
  c: ApiContext,
  url: string,
  name: string,
  items: readonly T[],
  json: (item: T) => object,
) {
  return c.json({ total_count: items.length, [name]: cut(c, url, items).map(json) });
}

/** The page that was asked for; the header `link` names the next one. */
function cut<T>(c: ApiContext, url: string, items: readonly T[]): readonly T[] {
  const number = Number(c.req.query("page") ?? 1);
  const size = Number(c.req.query("per_page") ?? 30);
  if (number * size < items.length) {
    const next = new URL(`${url}${c.req.path}?${new URLSearchParams(c.req.query()).toString()}`);
    next.searchParams.set("page", `${number + 1}`);
    c.header("link", `<${next.href}>; rel="next"`);
  }
  return items.slice((number - 1) * size, number * size);
}

function commentJson({ id, login, body, updatedAt }: StoredComment) {
  return { id, body, user: { login }, updated_at: updatedAt };
}

function issueJson({ number, login, title, body, state, pullRequest }: StoredIssue) {
  const link = pullRequest === undefined ? {} : { pull_request: {} };
  return { number, title, body, state, user: { login }, ...link };
}
