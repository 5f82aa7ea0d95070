import { expect, test } from "vitest";
import { listRecords } from "./list.ts";
import { makeRecord, type RecordBody } from "./record.ts";

const bodies: RecordBody[] = [
  { name: "@", type: "MX", content: "MX.Contoso.test", priority: 10, comment: "Old gateway" },
  { name: "@", type: "TXT", content: "v=spf1 mx -all", ttl: 600, tags: ["owner:Mail", "live"] },
  { name: "www", type: "A", content: "192.0.2.1", proxied: true, tags: ["owner:web"] },
  { name: "sub", type: "A", content: "192.0.2.2", ttl: 60 },
];
const records = bodies.map((body) => makeRecord(body, { name: "contoso.test", plan: "pro" }));

function found(query: string) {
  return listRecords(records, new URLSearchParams(query)).items.map(
    ({ name, type }) => `${name} ${type}`,
  );
}

const [mx, txt, www, sub] = [
  "contoso.test MX",
  "contoso.test TXT",
  "www.contoso.test A",
  "sub.contoso.test A",
];

test.each([
  ["", [mx, txt, www, sub]],
  ["type=MX", [mx]],
  ["name=CONTOSO.test", [mx, txt]],
  ["name.exact=contoso.test&type=TXT", [txt]],
  ["name.startswith=sub", [sub]],
  ["name.endswith=.contoso.test", [www, sub]],
  ["name.contains=WW.", [www]],
  ["content=mx.contoso.test", [mx]],
  ['content.exact="v=spf1 mx -all"', [txt]],
  ["content.startswith=192.0.2.", [www, sub]],
  ["comment.present=", [mx]],
  ["comment.absent=", [txt, www, sub]],
  ["comment.contains=old", [mx]],
  ["comment=old gateway", [mx]],
  ["tag.present=owner", [txt, www]],
  ["tag.absent=owner", [mx, sub]],
  ["tag=owner:mail", [txt]],
  ["tag.startswith=owner:w", [www]],
  ["tag.present=live&tag.exact=owner:web", []],
  ["tag.present=live&tag.exact=owner:web&tag_match=any", [txt, www]],
  ["proxied=true", [www]],
  ["type=MX&name.startswith=sub", []],
  ["type=MX&name.startswith=sub&match=any", [mx, sub]],
  ["search=gateway", [mx]],
  ["search=192.0.2.2&match=any&type=A", [sub]],
  ["order=ttl", [mx, www, sub, txt]],
  ["order=name&direction=desc", [www, sub, txt, mx]],
])("?%s", (query, expected) => {
  expect(found(query)).toEqual(expected);
});

test("pages", () => {
  const page = (query: string) => listRecords(records, new URLSearchParams(query));
  expect(page("").info).toEqual({
    page: 1,
    per_page: 100,
    count: 4,
    total_count: 4,
    total_pages: 1,
  });
  expect(page("page=2&per_page=3").info).toMatchObject({ page: 2, count: 1, total_pages: 2 });
  expect(page("page=2&per_page=3").items).toEqual(records.slice(3));
  expect(page("per_page=5000000").info).toMatchObject({ per_page: 5_000_000 });
});

test.each(["page=0", "per_page=5000001", "per_page=x", "order=priority", "match=some"])(
  "?%s is refused",
  (query) => {
    expect(() => found(query)).toThrow(/Invalid query parameter/);
  },
);
