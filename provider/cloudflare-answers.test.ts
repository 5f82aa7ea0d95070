/** What Cloudflare may answer besides what the emulator does: proxies, odd bodies, many pages. */
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { afterAll, beforeAll, expect, test } from "vitest";
import { CloudflareAccount } from "./cloudflare.ts";
import { WriteRefusedForNow, WriteUncertain } from "./cloudflare-errors.ts";
import { callerWith } from "./test-caller.ts";

interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The connection ends in the middle of the body. */
  readonly cut?: boolean;
}

const TOKEN = "secret-token-0123456789";
const ZONE = { id: "0123456789abcdef0123456789abcdef", name: "contoso.test" };

let answer: (url: URL) => Answer;
let connect: () => CloudflareAccount;
let account: CloudflareAccount;
let requests: URL[];

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  const url = new URL(request.url ?? "", "http://localhost");
  requests.push(url);
  const { status = 200, headers = {}, body, cut = false } = answer(url);
  const isText = typeof body === "string";
  // The SDK would repeat its reads for half a minute.
  const always = {
    "x-should-retry": "false",
    "content-type": isText ? "text/html" : "application/json",
  };
  response.writeHead(status, { ...always, ...headers });
  const text = isText ? body : JSON.stringify(body);
  if (cut) response.write(text.slice(0, 20), () => response.destroy());
  else response.end(text);
});

beforeAll(async () => {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const CLOUDFLARE_BASE_URL = `http://127.0.0.1:${port}`;
  const env = {
    CLOUDFLARE_API_TOKEN_FABRIKAM: TOKEN,
    CLOUDFLARE_BASE_URL,
    MXHERO_WAIT_SECONDS: "1",
  };
  connect = () => new CloudflareAccount(callerWith(env), "fabrikam");
});

afterAll(async () => {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
});

function answerWith(given: Answer | ((url: URL) => Answer)): void {
  requests = [];
  // A new one has not met the rate limit.
  account = connect();
  answer = typeof given === "function" ? given : () => given;
}

const reads: [string, () => Promise<unknown>][] = [
  ["listDomain", () => account.listDomain(ZONE, "contoso.test")],
  ["listWildcardMx", () => account.listWildcardMx(ZONE)],
  ["findZones", () => account.findZones("contoso.test")],
  ["getZone", () => account.getZone(ZONE.id)],
];
const write = () =>
  account.writeBatch(ZONE, {
    deletes: [],
    patches: [],
    posts: [{ name: "contoso.test", type: "TXT", content: "x=1", ttl: 1 }],
  });
const fault = (code: number, message: string, more: object = {}) => ({
  success: false,
  result: null,
  errors: [{ code, message, ...more }],
});

const notAnswers: [string, Answer, string][] = [
  ["400", { status: 400, body: fault(9000, "DNS name is invalid.") }, "cloudflare-error"],
  ["401", { status: 401, body: fault(1000, "Invalid API Token") }, "token-refused"],
  ["403", { status: 403, body: fault(10_000, "Authentication error") }, "token-refused"],
  ["404", { status: 404, body: fault(1001, "Invalid zone identifier") }, "zone-gone"],
  ["429", { status: 429, body: fault(10_000, "Please wait") }, "rate-limit-reached"],
  ["500", { status: 500, body: fault(10_001, "Internal server error") }, "cloudflare-error"],
  ["502 as a page", { status: 502, body: "<html>Bad gateway</html>" }, "cloudflare-error"],
  ["200 as a page", { body: "<html>Sign in to the network</html>" }, "cloudflare-error"],
  [
    "200 without a result",
    { body: { success: false, result: null, errors: [] } },
    "cloudflare-error",
  ],
  ["200 with nothing", { body: {} }, "cloudflare-error"],
  ["200 cut short", { cut: true, body: { result: [], result_info: {} } }, "cloudflare-error"],
];

test.each(
  reads.flatMap(([name, read]) =>
    notAnswers.map(([what, given, code]) => ({ name, what, read, given, code })),
  ),
)("$name, answered with $what: an error, never absent", async ({ read, given, code }) => {
  answerWith(given);
  await expect(read()).rejects.toMatchObject({ code });
});

test.each(notAnswers)("a refusal never shows the token: %s", async (_what, given) => {
  answerWith(given);
  const error: unknown = await write().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(Error);
  const cause = error instanceof Error ? error.cause : undefined;
  for (const shown of [error, cause]) {
    expect(`${JSON.stringify(shown)} ${String(shown)}`).not.toContain(TOKEN);
  }
});

test("401 and 403 name the variable of the credential", async () => {
  answerWith({ status: 403, body: fault(10_000, "Authentication error") });
  await expect(write()).rejects.toThrow(/CLOUDFLARE_API_TOKEN_FABRIKAM/);
});

test.each([
  ["a page instead of an answer", { body: "<html>Sign in</html>" }],
  ["an answer without the records", { body: {} }],
  ["an answer cut short", { cut: true, body: { success: true, result: {} } }],
  ["502 from a proxy", { status: 502, body: "<html>Bad gateway</html>" }],
  ["504", { status: 504, body: fault(10_001, "Timeout") }],
  ["81044", { status: 404, body: fault(81_044, "Record does not exist.") }],
  ["81057", { status: 400, body: fault(81_057, "Record already exists.") }],
  [
    "81058 in a chain",
    {
      status: 400,
      body: fault(1004, "DNS Validation Error", {
        error_chain: [{ code: 81_058, message: "An identical record already exists." }],
      }),
    },
  ],
])("a write is uncertain: %s", async (_what, given) => {
  answerWith(given);
  await expect(write()).rejects.toBeInstanceOf(WriteUncertain);
  expect(requests).toHaveLength(1);
});

test.each([
  ["9021 in a chain", 1004, [{ code: 9021, message: "TTL must be between 60 and 86400 seconds" }]],
  ["81045, the quota, which does not pass by itself", 81_045, []],
])("a write is refused for good: %s", async (_what, code, error_chain) => {
  answerWith({ status: 400, body: fault(code, "refused", { error_chain }) });
  const said = [`${code} refused`, ...error_chain.map((link) => `${link.code} ${link.message}`)];
  await expect(write()).rejects.toMatchObject({
    code: "cloudflare-error",
    problem: `The API answered: ${said.join("; ")}.`,
  });
});

test.each([
  ["12", 12],
  ["soon", 5],
  ["", 5],
])("429 with retry-after %j is %i seconds", async (retryAfter, seconds) => {
  answerWith({ status: 429, headers: { "retry-after": retryAfter }, body: fault(10_000, "wait") });
  const error: unknown = await write().catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(WriteRefusedForNow);
  expect(error).toMatchObject({ retryAfterSeconds: expect.closeTo(seconds, 1) });
});

/** Serves so many MX records, in pages of at most `most`. */
function pages(total: number, most: number) {
  const records = Array.from({ length: total }, (_, index) => ({
    id: `${index}`,
    name: "contoso.test",
    type: "MX",
    content: `mx${index}.contoso.test`,
    priority: 10,
    ttl: 1,
  }));
  return ({ searchParams }: URL): Answer => {
    const page = Number(searchParams.get("page") ?? 1);
    const per_page = Math.min(Number(searchParams.get("per_page")), most);
    const result = records.slice((page - 1) * per_page, page * per_page);
    return {
      body: { success: true, result, result_info: { page, per_page, count: result.length } },
    };
  };
}

test.each([
  ["none", 0, 5_000_000, 1],
  ["a full page and one more", 5_001, 5_000_000, 2],
  ["two full pages", 10_000, 5_000_000, 3],
  ["more than the API gives in one page", 250, 100, 3],
])("all records are read, page by page: %s", async (_what, total, most, expected) => {
  answerWith(pages(total, most));
  const records = await account.listDomain(ZONE, "contoso.test");
  expect(new Set(records.map(({ id }) => id)).size).toBe(total);
  expect(records).toHaveLength(total);
  expect(requests).toHaveLength(expected);
});

test("a page that fails is not the end of the list", async () => {
  const all = pages(250, 100);
  answerWith((url) =>
    url.searchParams.get("page") === "2" ? { status: 500, body: fault(1, "no") } : all(url),
  );
  await expect(account.listDomain(ZONE, "contoso.test")).rejects.toMatchObject({
    code: "cloudflare-error",
  });
});
