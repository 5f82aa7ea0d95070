import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  isWithin,
  parentNames,
  parseDomainName,
  parseTenantDomain,
  toUnicodeName,
} from "./domain-name.ts";

const letters = Array.from("abcxyz019äöüßéñçčøåλдж中文日本אב");
const label = fc
  .array(fc.constantFrom(...letters, "-"), { minLength: 1, maxLength: 12 })
  .map((characters) => characters.join(""));
const asciiLabel = fc.stringMatching(/^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$/);
const asciiName = fc
  .array(asciiLabel, { minLength: 2, maxLength: 6 })
  .map((labels) => labels.join("."))
  .filter((name) => !/(^|\.)xn--/.test(name));

describe("parseDomainName", () => {
  test.each([
    ["example.com", "example.com"],
    ["Mail.Example.COM.", "mail.example.com"],
    ["a-b.3com.example", "a-b.3com.example"],
    // RFC 5890 section 2.3.2.1 calls such pairs U-label and A-label; the values are those of RFC 3492 and UTS #46.
    ["Bücher.example", "xn--bcher-kva.example"],
    ["XN--BCHER-KVA.example", "xn--bcher-kva.example"],
    ["faß.example", "xn--fa-hia.example"],
    ["ｅｘａｍｐｌｅ。com", "example.com"],
  ])("%s is read as %s", (text, name) => {
    expect(parseDomainName(text)).toBe(name);
  });

  test.each([
    ["", "domain-name-empty"],
    ["192.0.2.1", "domain-name-address"],
    ["[192.0.2.1]", "domain-name-address"],
    ["2001:db8::1", "domain-name-address"],
    ["[2001:db8::1]", "domain-name-address"],
    ["192.0.2", "domain-name-address"],
    ["0x7f.0x1", "domain-name-address"],
    ["１９２.０.２.１", "domain-name-address"],
    ["user@example.com", "domain-name-character"],
    ["https://example.com", "domain-name-character"],
    ["example.com/path", "domain-name-character"],
    ["example.com:25", "domain-name-character"],
    ["exa mple.com", "domain-name-character"],
    ["example.com\n", "domain-name-character"],
    ["ex%61mple.com", "domain-name-character"],
    ["exam\0ple.com", "domain-name-character"],
    ["*.example.com", "domain-name-wildcard"],
    ["_mta-sts.example.com", "domain-name-underscore"],
    ["a＿b.example.com", "domain-name-underscore"],
    [".", "domain-name-empty-label"],
    [".example.com", "domain-name-empty-label"],
    ["mail..example.com", "domain-name-empty-label"],
    ["example.com..", "domain-name-empty-label"],
    ["-a.example.com", "domain-name-hyphen"],
    ["a-.example.com", "domain-name-hyphen"],
    ["localhost", "domain-name-single-label"],
    ["com.", "domain-name-single-label"],
    ["xn--a.example", "domain-name-international"],
    ["xn--.example", "domain-name-hyphen"],
    ["1א.example", "domain-name-international"],
    ["℀.example", "domain-name-international"],
  ])("%j is refused as %s", (text, code) => {
    expect(() => parseDomainName(text)).toThrow(expect.objectContaining({ code, value: text }));
  });

  test("labels may have 63 characters", () => {
    expect(parseDomainName(`${"a".repeat(63)}.example`)).toBe(`${"a".repeat(63)}.example`);
    expect(() => parseDomainName(`${"a".repeat(64)}.example`)).toThrow(
      expect.objectContaining({ code: "domain-name-label-too-long" }),
    );
    expect(() => parseDomainName(`${"ü".repeat(70)}.example`)).toThrow(
      expect.objectContaining({ code: "domain-name-label-too-long" }),
    );
  });

  test("names may have 253 characters", () => {
    const longest = `${`${"a".repeat(61)}.`.repeat(4)}abcde`;
    expect(longest).toHaveLength(253);
    expect(parseDomainName(`${longest}.`)).toBe(longest);
    expect(() => parseDomainName(`b${longest}`)).toThrow(
      expect.objectContaining({ code: "domain-name-too-long" }),
    );
  });

  test("the message names the value and the way on", () => {
    expect(() => parseDomainName("mail..example.com")).toThrow(
      '"mail..example.com" has an empty label. Remove the dot that is too many.',
    );
  });

  test("ASCII names stay as they are, whatever their case and trailing dot", () => {
    fc.assert(
      fc.property(asciiName, (name) => {
        expect(parseDomainName(name)).toBe(name);
        expect(parseDomainName(`${name.toUpperCase()}.`)).toBe(name);
      }),
    );
  });

  test("a name that was read is read as itself again, also from its Unicode form", () => {
    const name = fc.array(label, { minLength: 2, maxLength: 4 }).map((labels) => labels.join("."));
    let read = 0;
    fc.assert(
      fc.property(fc.oneof(name, fc.domain(), fc.string()), (text) => {
        let parsed: string;
        try {
          parsed = parseDomainName(text);
        } catch {
          return;
        }
        read += 1;
        expect(parseDomainName(parsed)).toBe(parsed);
        expect(parseDomainName(toUnicodeName(parsed))).toBe(parsed);
        expect(parsed).toMatch(/^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/);
      }),
      { numRuns: 300 },
    );
    expect(read).toBeGreaterThan(100);
  });
});

describe("parseTenantDomain", () => {
  test.each(["co.uk", "公司.cn", "xn--55qx5d.cn", "foo.ck"])("%s is a public suffix", (text) => {
    expect(() => parseTenantDomain(text)).toThrow(
      expect.objectContaining({ code: "domain-name-public-suffix" }),
    );
  });

  test.each(["contoso.co.uk", "contoso.test", "mail.contoso.test", "github.io"])(
    "%s can be owned",
    (text) => {
      expect(parseTenantDomain(text)).toBe(text);
    },
  );
});

describe("names and zones", () => {
  test("the boundary is a dot", () => {
    expect(isWithin("example.com", "example.com")).toBe(true);
    expect(isWithin("mail.example.com", "example.com")).toBe(true);
    expect(isWithin("notexample.com", "example.com")).toBe(false);
    expect(isWithin("example.com", "mail.example.com")).toBe(false);
  });

  test("parents, nearest first", () => {
    expect(parentNames("a.b.example.com")).toEqual(["b.example.com", "example.com", "com"]);
    expect(parentNames("com")).toEqual([]);
  });

  test("every parent holds the name", () => {
    fc.assert(
      fc.property(fc.array(asciiLabel, { maxLength: 4 }), asciiName, (labels, zone) => {
        const name = [...labels, zone].join(".");
        expect(isWithin(`x${zone}`, zone)).toBe(false);
        expect(parentNames(name).filter((parent) => !isWithin(name, parent))).toEqual([]);
        expect(parentNames(name)).toHaveLength(name.split(".").length - 1);
      }),
    );
  });

  test("the Unicode form is for messages", () => {
    expect(toUnicodeName("xn--bcher-kva.example")).toBe("bücher.example");
  });
});
