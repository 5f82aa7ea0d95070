import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findPolicyId, matchesMxPattern, notAdmitted, parsePolicy } from "./mta-sts.ts";

describe("findPolicyId", () => {
  test("the example of RFC 8461 section 3.1", () => {
    expect(findPolicyId(["v=STSv1; id=20160831085700Z;"])).toBe("20160831085700Z");
  });

  test.each([
    ["no semicolon at the end", ["v=STSv1; id=a1"]],
    ["no space, or more of it", ["v=STSv1;id=a1 \t; \t"]],
    ["white space before the first semicolon", ["v=STSv1 ; id=a1"]],
    ["another field, before and after", ["v=STSv1; x-y.z_0=!:<>~; id=a1; b=2"]],
    ["the first of two ids counts", ["v=STSv1; id=a1; id=b2"]],
    ["other TXT records do not count", ["v=spf1 -all", "v=STSv1; id=a1", "v=STSv12; id=b2"]],
  ])("%s", (_, texts) => {
    expect(findPolicyId(texts)).toBe("a1");
  });

  test.each([
    ["no record", []],
    ["two records", ["v=STSv1; id=a1", "v=STSv1; id=a1"]],
    ["no id", ["v=STSv1; a=b;"]],
    ["only a version", ["v=STSv1;"]],
    ["a version in another case", ["v=stsv1; id=a1"]],
    ["an id in another case", ["v=STSv1; ID=a1"]],
    ["an empty id", ["v=STSv1; id=;"]],
    ["an id with a hyphen", ["v=STSv1; id=a-1;"]],
    ["an id of 33 characters", [`v=STSv1; id=${"a".repeat(33)};`]],
    ["an equals sign in a value", ["v=STSv1; id=a1; b=c=d;"]],
    ["a space in a value", ["v=STSv1; id=a1; b=c d;"]],
    ["a field without a value", ["v=STSv1; id=a1; b;"]],
    ["an empty field", ["v=STSv1; id=a1;;"]],
    ["the version is not at the start", ["id=a1; v=STSv1;"]],
    ["a space before the version", [" v=STSv1; id=a1;"]],
  ])("none: %s", (_, texts) => {
    expect(findPolicyId(texts)).toBeUndefined();
  });

  test("an id may have 32 characters", () => {
    const id = "a1".repeat(16);
    expect(findPolicyId([`v=STSv1; id=${id};`])).toBe(id);
  });
});

/** The example of RFC 8461 section 3.2. */
const lines = [
  "version: STSv1",
  "mode: enforce",
  "mx: mail.example.com",
  "mx: *.example.net",
  "mx: backupmx.example.com",
  "max_age: 604800",
];
const example = {
  mode: "enforce",
  mx: ["mail.example.com", "*.example.net", "backupmx.example.com"],
  maxAge: 604_800,
};

describe("parsePolicy", () => {
  test.each([
    ["the example of RFC 8461 section 3.2, CRLF", `${lines.join("\r\n")}\r\n`],
    ["LF", `${lines.join("\n")}\n`],
    ["no end of line at the end", lines.join("\n")],
    ["CRLF and LF mixed", `${lines.slice(0, 3).join("\r\n")}\n${lines.slice(3).join("\n")}`],
    ["white space after the values", lines.map((line) => `${line} \t`).join("\r\n")],
    ["no white space after the colons", lines.join("\n").replaceAll(": ", ":")],
    [
      "the order does not matter",
      lines
        .toReversed()
        .join("\n")
        .replace(/(mx.*\n)(mx.*\n)(mx.*\n)/, "$3$2$1"),
    ],
    ["unknown keys", [...lines, "x-y.z_0: für alle: = ;", "Mode: none"].join("\n")],
    [
      "later versions, modes and ages",
      [...lines, "version: 2", "mode: no", "max_age: x"].join("\n"),
    ],
    ["empty lines", `${lines.join("\n\n")}\n\n`],
    ["capital letters in a pattern", lines.join("\n").replace("mail.example", "Mail.Example")],
  ])("%s", (_, text) => {
    expect(parsePolicy(text)).toEqual(example);
  });

  test("mode none needs no mx", () => {
    expect(parsePolicy("version: STSv1\nmode: none\nmax_age: 0\n")).toEqual({
      mode: "none",
      mx: [],
      maxAge: 0,
    });
  });

  test("max_age counts up to 31557600", () => {
    const text = lines.join("\n").replace("604800", "9999999999");
    expect(parsePolicy(text).maxAge).toBe(31_557_600);
  });

  test.each([
    ["", 'has no "version"'],
    [lines.slice(1).join("\n"), 'has no "version"'],
    [lines.filter((line) => !line.startsWith("mode")).join("\n"), 'has no "mode"'],
    [lines.filter((line) => !line.startsWith("mx")).join("\n"), 'has no "mx"'],
    [lines.slice(0, -1).join("\n"), 'has no "max_age"'],
    [lines.join("\n").replace("STSv1", "STSv2"), 'has the version "STSv2"'],
    [lines.join("\n").replace("enforce", "report"), 'has the mode "report"'],
    [lines.join("\n").replace("604800", "7d"), 'has the max_age "7d"'],
    [lines.join("\n").replace("604800", "12345678901"), 'has the max_age "12345678901"'],
    [lines.join("\n").replace("*.", "*"), 'has the mx "*example.net"'],
    [lines.join("\n").replace("*.", "a.*."), 'has the mx "a.*.example.net"'],
    [lines.join("\n").replace("*.example.net", "*"), 'has the mx "*"'],
    [lines.join("\n").replace("net", "net."), 'has the mx "*.example.net."'],
    [lines.join("\n").replace("*.example", "bücher"), 'has the mx "bücher.net"'],
    [`${lines.join("\n")}\n<html>`, 'no "key: value" pair: "<html>"'],
    [`${lines.join("\n")}\n mode: none`, 'no "key: value" pair: " mode: none"'],
    [`${lines.join("\n")}\nkey:`, 'no "key: value" pair: "key:"'],
    [lines.join("\r"), 'no "key: value" pair'],
  ])("a policy that is refused: %j", (text, problem) => {
    expect(() => parsePolicy(text)).toThrow(
      expect.objectContaining({
        code: "mta-sts-policy",
        problem: expect.stringContaining(problem),
      }),
    );
  });
});

describe("matchesMxPattern", () => {
  // RFC 8461 section 4.1 names the first three.
  test.each([
    ["*.example.com", "mail.example.com", true],
    ["*.example.com", "example.com", false],
    ["*.example.com", "foo.bar.example.com", false],
    ["*.example.com", "mail.notexample.com", false],
    ["*.example.com", ".example.com", false],
    ["mail.example.com", "mail.example.com", true],
    ["mail.example.com", "xmail.example.com", false],
    ["example.com", "mail.example.com", false],
  ])("%s, %s: %s", (pattern, exchange, admitted) => {
    expect(matchesMxPattern(pattern, exchange)).toBe(admitted);
  });
});

describe("notAdmitted", () => {
  const policy = parsePolicy(lines.join("\n"));

  test("names the hosts that no pattern admits", () => {
    const exchanges = ["mx1.gateway.test", "mail.example.com", "a.example.net", "example.net"];
    expect(notAdmitted(policy, exchanges)).toEqual(["mx1.gateway.test", "example.net"]);
  });

  test("mode testing is told like mode enforce, mode none admits all", () => {
    expect(notAdmitted({ ...policy, mode: "testing" }, ["mx1.gateway.test"])).toHaveLength(1);
    expect(notAdmitted({ ...policy, mode: "none" }, ["mx1.gateway.test"])).toEqual([]);
  });

  test("a policy that lists the hosts, or their parents with a wildcard, admits them", () => {
    const exchange = fc.domain().map((name) => `mx.${name.toLowerCase()}`);
    fc.assert(
      fc.property(fc.array(exchange), fc.boolean(), (exchanges, wildcard) => {
        const mx = exchanges.map((name) => (wildcard ? name.replace(/^mx/, "*") : name));
        expect(notAdmitted({ ...policy, mx }, exchanges)).toEqual([]);
        expect(notAdmitted({ ...policy, mx: [] }, exchanges)).toEqual(exchanges);
      }),
    );
  });
});
