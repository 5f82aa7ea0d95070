import { expect, test } from "vitest";
import { parseRecord, SpfSyntaxError, selectSpf } from "./index.ts";

test("a record is parsed into its terms, with their places", () => {
  expect(parseRecord("V=spf1  -MX:a.test/24//64 Exists:%{i}.b.test. ~ip4:192.0.2.0/25 ")).toEqual([
    {
      kind: "mx",
      qualifier: "-",
      domain: "a.test",
      lengths: { ip4: 24, ip6: 64 },
      text: "-MX:a.test/24//64",
      position: 8,
    },
    {
      kind: "exists",
      qualifier: "+",
      domain: "%{i}.b.test.",
      text: "Exists:%{i}.b.test.",
      position: 26,
    },
    {
      kind: "ip4",
      qualifier: "~",
      network: "192.0.2.0",
      length: 25,
      text: "~ip4:192.0.2.0/25",
      position: 46,
    },
  ]);
});

// From the productions of RFC 7208, appendix A.
test.each([
  "+all ?all ~all -all",
  "a a/0 a//0 a/32//128 a:b.test a:b.test/8 a:b.test//8 a:%{d}/8",
  "a:foo:bar/baz.example.com a:b/24.test a:b.1-a a:b.a-1 a:b.t3st a:b.x--y",
  "mx ptr ptr:b.test include:%{ir}.%{v}.arpa include:a.%_ include:a.%-",
  "ip4:0.0.0.0 ip4:255.249.199.99/0 ip6::: ip6:::1/128 ip6:2001:db8::192.0.2.1/9 ip6:1:2:3:4:5:6:7:8",
  "x= x=y all=1 include=c.test ip4=1 a.b-c_d=%{s}!\"#$&'()*+,-./:;<=>?@[]^_`{|}~",
  "exp=%{d} redirect=a.test.",
  "exists:%{S}%{l1}%{o20R}%{d0002r}%{i.}%{p}%{v-+,/_=}%{H}.test",
])("accepted: %s", (terms) => {
  expect(parseRecord(`v=spf1 ${terms}`).map(({ text }) => text)).toEqual(terms.split(" "));
});

test.each([
  "all: all. all/8 -all:b.test alll ll".split(" "),
  "include include: include:b include:b. include:.test/24 include:b.test/24".split(" "),
  "a: a:b a:b. a:b.-a a:b.a- a:b.1 a:b..  a:192.0.2.1 a/33 a/01 a//129 a/ a// a/8/8 a/-1".split(
    " ",
  ),
  "mx: mx/8//8/8 mx:b.test:25 ptr: ptr/8 ptr:b exists exists: exists:b.test/8".split(" "),
  "ip4 ip4: ip4:1.2.3 ip4:1.2.3.4.5 ip4:256.1.1.1 ip4:01.2.3.4 ip4:1.2.3.4/33".split(" "),
  "ip4:1.2.3.4/08 ip4:1.2.3.4//8 ip4:::1 ip4:1.2.3.4:25 ip4:%{i}".split(" "),
  "ip6 ip6: ip6:1.2.3.4 ip6:1::2::3 ip6:1:2:3 ip6:g:: ip6:::1/129 ip6:::1//8 ip6:::01.2.3.4".split(
    " ",
  ),
  "a:%{a}.test a:%{d0}.test a:%{d.test a:%d.test a:%{dr2}.test a:%{d;}.test a:b.%".split(" "),
  "a:%{c}.test exp=%{r}.test x=%{t} x=% redirect= exp= redirect=b exp=b".split(" "),
  "redirect:b.test exp:b.test -x=y +redirect=b.test =x 1x=y x y:z.test --all +-all asdf:b.test".split(
    " ",
  ),
  ["a:b\u00e9.test", "\tall", "all\r", "x=\u007f", "a:b.test\0", "\u017fall"],
])("refused: %s", (...terms) => {
  const accepted = terms.filter((term) => term !== "" && isAccepted(term));
  expect(accepted).toEqual([]);
});

function isAccepted(term: string): boolean {
  try {
    return parseRecord(`v=spf1 ${term}`).length > 0;
  } catch (error) {
    if (error instanceof SpfSyntaxError) return false;
    throw error;
  }
}

test.each([
  ["v=spf1 mx a:192.0.2.1/24 -all", 10, "ip4:192.0.2.1/24"],
  ["v=spf1 mx redirect:b.test", 10, "redirect=<domain>"],
  ["v=spf1 mx include:b.%{x}.test", 20, "%%"],
  ["v=spf1 ip4:192.0.2.1\u00a0-all", 20, "Part terms by spaces"],
  ["v=spf1 asdf:b.test", 7, "include"],
  ["v=spf10 mx", 0, "v=spf1 "],
  ["v=spf1 exp=a.test -all exp=b.test", 23, "Remove one"],
])("%j is refused at byte %i with a way on", (record, position, fix) => {
  expect(() => parseRecord(record)).toThrow(
    expect.objectContaining({ record, position, fix: expect.stringContaining(fix) }),
  );
});

test("a long record that does not match is refused without delay", () => {
  for (const filler of ["a", "1", ".", "-", "a-", ".a", "%{d}", "%%", ":0", "/1"]) {
    const record = `v=spf1 a:b${filler.repeat(30_000)}! x:${filler.repeat(30_000)}`;
    expect(() => parseRecord(record)).toThrow(SpfSyntaxError);
  }
});

test("the version section alone decides which TXT records are SPF (RFC 7208, section 4.5)", () => {
  const others = [
    "",
    "v=spf10 -all",
    "v=spf1\t-all",
    " v=spf1 -all",
    "spf2.0/pra",
    "v=DMARC1; p=none",
  ];
  expect(selectSpf(others)).toEqual({ status: "none" });
  expect(selectSpf([...others, "V=sPf1"])).toEqual({ status: "one", record: "V=sPf1" });
  expect(selectSpf(["v=spf1 !", ...others, "v=spf1 -all"])).toEqual({
    status: "several",
    records: ["v=spf1 !", "v=spf1 -all"],
  });
});
