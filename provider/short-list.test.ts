/** An API that lists too little: what name servers answer keeps us from believing that nothing is there. */
import { once } from "node:events";
import { createServer } from "node:http";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import type { RecordSpec } from "../lab/cloudflare/index.ts";
import { startTestLab, type TestLab } from "../lab/cloudflare/test-lab.ts";
import { testNet } from "../lab/test-net.ts";
import { mxTakeover } from "./mx-takeover.ts";
import { mxTakeoverInputs } from "./mx-takeover-schema.ts";
import type { Call } from "./resource.ts";
import { readSettings } from "./settings.ts";
import { spfInclude } from "./spf-include.ts";

let lab: TestLab;
let zone: string;
/** What the API would do to the query of a list, and to its result. */
let changeQuery: (query: URLSearchParams) => void;
let keeps: (record: unknown) => boolean;

/** Stands before the emulator. */
const proxy = createServer((request, response) => {
  void (async () => {
    const url = new URL(`${lab.cloudflare.url}${request.url ?? ""}`);
    const { method = "GET", headers } = request;
    const body = await text(request);
    if (method === "GET") changeQuery(url.searchParams);
    const answer = await fetch(url, {
      method,
      headers: { authorization: headers.authorization ?? "" },
      ...(body !== "" && { body }),
    });
    const given: unknown = await answer.json();
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(JSON.stringify(withoutHidden(given)));
  })();
});

function withoutHidden(answer: unknown): unknown {
  if (typeof answer !== "object" || answer === null || !("result" in answer)) return answer;
  const { result } = answer;
  return { ...answer, result: Array.isArray(result) ? result.filter(keeps) : result };
}

const isOfType = (type: string) => (record: unknown) =>
  typeof record === "object" && record !== null && "type" in record && record.type === type;

const records: RecordSpec[] = [
  { name: "contoso.test", type: "A", content: "192.0.2.80" },
  { name: "contoso.test", type: "MX", content: "mail.contoso.test", priority: 10, ttl: 600 },
  { name: "contoso.test", type: "TXT", content: '"v=spf1 ip4:192.0.2.25 -all"' },
  { name: "mail.contoso.test", type: "A", content: "192.0.2.25" },
];

beforeAll(async () => {
  lab = await startTestLab();
  zone = await lab.cloudflare.addZone({ name: "contoso.test" });
  await lab.dns.host("smtp-in.gateway.test", `${testNet}.1.1`);
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
});

beforeEach(async () => {
  await lab.cloudflare.seed(zone, records);
  lab.cloudflare.clearLogs();
  changeQuery = () => undefined;
  keeps = () => true;
});

afterAll(async () => {
  proxy.close();
  proxy.closeAllConnections();
  await once(proxy, "close");
  await lab.dispose();
});

function callOf(preview: boolean) {
  const address = proxy.address();
  const port = typeof address === "object" ? address?.port : undefined;
  const warn = vi.fn<Call["warn"]>();
  const call: Call = {
    urn: "urn:pulumi:contoso::mail::mxhero:index:MxTakeover::contoso.test",
    preview,
    signal: new AbortController().signal,
    settings: readSettings(
      {},
      {
        CLOUDFLARE_API_TOKEN: lab.operator,
        CLOUDFLARE_BASE_URL: `http://127.0.0.1:${port}`,
        MXHERO_RESOLVERS: lab.dns.resolver,
        MXHERO_WAIT_SECONDS: "0.3",
      },
    ),
    info: () => undefined,
    warn,
    progress: () => undefined,
  };
  return { call, warn };
}

const takeover = mxTakeoverInputs.parse({
  organisation: "contoso",
  domain: "contoso.test",
  mx: [{ exchange: "smtp-in.gateway.test", preference: 10 }],
  server: "mail.contoso.test",
  overlapSeconds: 0,
});
const include = {
  organisation: "contoso",
  domain: "contoso.test",
  replacements: ["ip4:192.0.2.99"],
};
const spf = { ...include, base: "v=spf1 mx -all" };

const shortLists: [string, () => void][] = [
  [
    "both filters must match",
    () => {
      changeQuery = (query) => query.set("match", "all");
    },
  ],
  [
    "the type is left out",
    () => {
      keeps = (record) => !isOfType("MX")(record) && !isOfType("TXT")(record);
    },
  ],
];

test("the API as it is: both resources are created", async () => {
  await spfInclude.create(spf, callOf(false).call);
  await mxTakeover.create(takeover, callOf(false).call);
  const contents = lab.cloudflare.snapshot(zone).map(({ content }) => content);
  expect(contents).toEqual(
    expect.arrayContaining([
      "smtp-in.gateway.test",
      '"v=spf1 ip4:192.0.2.25 ip4:192.0.2.99 -all"',
      '"v=mxhero1 kind=was mx=\\"10 mail.contoso.test.\\" ttl=600"',
    ]),
  );
});

test.each(shortLists)("a list without the MX never forgets the MX: %s", async (_why, shorten) => {
  shorten();
  await expect(mxTakeover.create(takeover, callOf(false).call)).rejects.toMatchObject({
    code: expect.stringMatching(/^(?:not-served|wildcard-would-be-hidden)$/),
  });
  expect(lab.cloudflare.commits).toEqual([]);
});

test.each(shortLists)(
  "a list without the SPF record makes no second one: %s",
  async (_why, shorten) => {
    shorten();
    await expect(spfInclude.create(spf, callOf(false).call)).rejects.toMatchObject({
      code: expect.stringMatching(/^(?:not-served|wildcard-would-be-hidden)$/),
    });
    expect(lab.cloudflare.commits).toEqual([]);
  },
);

test("a base that equals what name servers serve is no proof either", async () => {
  keeps = (record) => !isOfType("TXT")(record);
  const base = "v=spf1 ip4:192.0.2.25 -all";
  const created = spfInclude.create({ ...include, base }, callOf(false).call);
  await expect(created).rejects.toMatchObject({ code: "not-served" });
  expect(lab.cloudflare.commits).toEqual([]);
});

test("a preview warns, and changes nothing", async () => {
  keeps = (record) => !isOfType("TXT")(record) && !isOfType("MX")(record);
  const { call, warn } = callOf(true);
  await spfInclude.create(spf, call);
  expect(warn).toHaveBeenCalledWith(
    expect.stringMatching(/no SPF record .* ns[12]\.dns-host\.test/),
  );
  expect(lab.cloudflare.commits).toEqual([]);
});

test("a record is made from the base where name servers have none, with four requests at most", async () => {
  await lab.cloudflare.seed(
    zone,
    records.filter(({ type }) => type !== "TXT"),
  );
  lab.cloudflare.clearLogs();
  await spfInclude.create(spf, callOf(false).call);
  const texts = lab.cloudflare
    .snapshot(zone)
    .filter(({ type, name }) => type === "TXT" && name === "contoso.test");
  expect(texts).toMatchObject([{ content: '"v=spf1 mx ip4:192.0.2.99 -all"' }]);
  expect(lab.cloudflare.requests.length).toBeLessThanOrEqual(4);
});
