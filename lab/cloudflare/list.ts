/** Filters, order and pages of `GET …/dns_records`. */
import { ApiError } from "./errors.ts";
import { normaliseName } from "./name.ts";
import type { DnsRecord } from "./record.ts";

export interface Page<T> {
  readonly items: readonly T[];
  readonly info: {
    readonly page: number;
    readonly per_page: number;
    readonly count: number;
    readonly total_count: number;
    readonly total_pages: number;
  };
}

type Test = (record: DnsRecord) => boolean;

const lower = (text: string) => text.toLowerCase();

/** Comparisons ignore case, as the API documents it. */
const comparisons: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  exact: (value, wanted) => value === wanted,
  contains: (value, wanted) => value.includes(wanted),
  startswith: (value, wanted) => value.startsWith(wanted),
  endswith: (value, wanted) => value.endsWith(wanted),
};

/** One page of the records that the query asks for. @throws {ApiError} for impossible values */
export function listRecords(records: Iterable<DnsRecord>, query: URLSearchParams): Page<DnsRecord> {
  const tests = [...query].flatMap(([key, value]) => recordTest(key, value) ?? []);
  const tagTests = [...query].flatMap(([key, value]) => tagTest(key, value) ?? []);
  if (tagTests.length > 0) tests.push(combine(tagTests, choice(query, "tag_match", matches)));
  const search = lower(query.get("search") ?? "");
  const matching = combine(tests, choice(query, "match", matches));
  const found = [...records].filter((record) => matching(record) && mentions(record, search));
  const order = choice(query, "order", [undefined, "type", "name", "content", "ttl", "proxied"]);
  const sorted = order === undefined ? found : sortBy(found, order);
  if (choice(query, "direction", ["asc", "desc"]) === "desc") sorted.reverse();
  return paginate(sorted, query, { size: 100, most: 5_000_000 });
}

export function paginate<T>(
  items: readonly T[],
  query: URLSearchParams,
  defaults: { readonly size: number; readonly most: number },
): Page<T> {
  const page = count(query, "page", 1, Number.MAX_SAFE_INTEGER);
  const size = count(query, "per_page", defaults.size, defaults.most);
  const shown = items.slice((page - 1) * size, page * size);
  return {
    items: shown,
    info: {
      page,
      per_page: size,
      count: shown.length,
      total_count: items.length,
      total_pages: Math.ceil(items.length / size),
    },
  };
}

const matches = ["all", "any"] as const;

function combine(tests: readonly Test[], match: "all" | "any"): Test {
  if (tests.length === 0) return () => true;
  return (record) =>
    match === "all" ? tests.every((test) => test(record)) : tests.some((test) => test(record));
}

function recordTest(key: string, value: string): Test | undefined {
  const wanted = lower(value);
  const [field, operator = "exact"] = key.split(".");
  if (field === "type") return ({ type }) => lower(type) === wanted;
  if (field === "proxied") return ({ proxied }) => String(proxied) === wanted;
  if (field === "comment" && operator === "present") return ({ comment }) => comment !== null;
  if (field === "comment" && operator === "absent") return ({ comment }) => comment === null;
  const compare = comparisons[operator];
  if (compare === undefined) return undefined;
  if (field === "name") {
    const name = operator === "exact" ? (normaliseName(value) ?? wanted) : wanted;
    return (record) => compare(record.name, name);
  }
  if (field === "content") return ({ content }) => compare(lower(content), wanted);
  if (field === "comment") return ({ comment }) => compare(lower(comment ?? ""), wanted);
  return undefined;
}

/** Tags are `name:value`. */
function tagTest(key: string, value: string): Test | undefined {
  const [field, operator = "exact"] = key.split(".");
  if (field !== "tag") return undefined;
  const [wantedName = "", ...wantedValue] = lower(value).split(":");
  const named = ({ tags }: DnsRecord) =>
    tags.map(lower).flatMap((tag) => {
      const [name, ...rest] = tag.split(":");
      return name === wantedName ? [rest.join(":")] : [];
    });
  if (operator === "present") return (record) => named(record).length > 0;
  if (operator === "absent") return (record) => named(record).length === 0;
  const compare = comparisons[operator];
  if (compare === undefined) return undefined;
  return (record) => named(record).some((tag) => compare(tag, wantedValue.join(":")));
}

function mentions({ name, content, comment, tags }: DnsRecord, search: string): boolean {
  return [name, content, comment ?? "", ...tags].some((text) => lower(text).includes(search));
}

function sortBy(
  records: readonly DnsRecord[],
  field: "type" | "name" | "content" | "ttl" | "proxied",
): DnsRecord[] {
  return records.toSorted((a, b) => {
    if (a[field] === b[field]) return 0;
    return a[field] < b[field] ? -1 : 1;
  });
}

function choice<const T extends string | undefined>(
  query: URLSearchParams,
  key: string,
  choices: readonly [T, ...T[]],
): T {
  const value = query.get(key);
  if (value === null) return choices[0];
  const chosen = choices.find((one) => one === value);
  if (chosen === undefined) throw badQuery(key, value);
  return chosen;
}

function count(query: URLSearchParams, key: string, otherwise: number, most: number): number {
  const value = Number(query.get(key) ?? otherwise);
  if (!Number.isInteger(value) || value < 1 || value > most) throw badQuery(key, `${value}`);
  return value;
}

/** The code is not public. */
function badQuery(key: string, value: string): ApiError {
  return new ApiError(400, [{ code: 1004, message: `Invalid query parameter: ${key}=${value}` }]);
}
