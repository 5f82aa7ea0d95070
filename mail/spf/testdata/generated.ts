/** Generators of SPF records, for property tests. They follow the grammar of RFC 7208. */
import * as fc from "fast-check";

const labels = "mail _SPF a-b xn--bcher-kva All redirect a:b c/24 {x} = 1";
const macros = "%% %_ %- %{i} %{ir} %{d2} %{L} %{l1r-} %{o} %{v} %{h.-+,/_=}";
const ends = ".test .COM .co.uk .xn--p1ai .example. .%{d} .%{D3r}";

const piece = fc.constantFrom(...labels.split(" "), ...macros.split(" "));
const end = fc.constantFrom(...ends.split(" "));

const domainSpec = fc
  .tuple(fc.array(piece, { minLength: 1, maxLength: 4 }), end)
  .map(([pieces, last]) => pieces.join(".") + last);

const ip4Length = fc.integer({ min: 0, max: 32 }).map((length) => `/${length}`);
const ip6Length = fc.integer({ min: 0, max: 128 }).map((length) => `/${length}`);
const optional = (part: fc.Arbitrary<string>) => fc.oneof(fc.constant(""), part);

const target = domainSpec.map((domain) => `:${domain}`);
const host = fc
  .tuple(optional(target), optional(ip4Length), optional(ip6Length))
  .map(([domain, ip4, ip6]) => `${domain}${ip4}${ip6 && `/${ip6}`}`);

const mechanism = fc.oneof(
  target.map((domain) => `include${domain}`),
  target.map((domain) => `exists${domain}`),
  host.map((rest) => `a${rest}`),
  host.map((rest) => `mx${rest}`),
  optional(target).map((rest) => `ptr${rest}`),
  fc.tuple(fc.ipV4(), optional(ip4Length)).map(([network, length]) => `ip4:${network}${length}`),
  fc.tuple(fc.ipV6(), optional(ip6Length)).map(([network, length]) => `ip6:${network}${length}`),
);

const qualifier = fc.constantFrom("", "+", "-", "?", "~");

/** A mechanism other than `all`, with or without a qualifier. */
export const directive = fc.tuple(qualifier, mechanism).map(([sign, rest]) => sign + rest);

const all = fc
  .tuple(qualifier, fc.constantFrom("all", "ALL", "aLl"))
  .map(([sign, name]) => sign + name);

const unknownModifier = fc
  .tuple(fc.constantFrom("ra", "x-note", "X.y_z", "default"), optional(domainSpec))
  .map(([name, value]) => `${name}=${value}`);

const single = (name: string) =>
  fc.array(
    domainSpec.map((domain) => `${name}=${domain}`),
    { maxLength: 1 },
  );

const terms = fc
  .tuple(
    fc.array(fc.oneof({ weight: 4, arbitrary: directive }, unknownModifier), { maxLength: 8 }),
    fc.array(all, { maxLength: 2 }),
    single("redirect"),
    single("exp"),
  )
  .chain((groups) => {
    const list = groups.flat();
    return fc.shuffledSubarray(list, { minLength: list.length });
  });

const spaces = fc.integer({ min: 1, max: 3 }).map((count) => " ".repeat(count));

/** A record with the terms of a domain owner, one to three spaces between them, and some behind. */
export const spfRecord = fc
  .tuple(
    fc.constantFrom("v=spf1", "V=SPF1", "v=SpF1"),
    terms.chain((list) => fc.tuple(...list.map((term) => spaces.map((space) => space + term)))),
    optional(spaces),
  )
  .map(([version, words, trailing]) => version + words.join("") + trailing);

/** Turns letters outside macros to upper case where `upper` says so. */
export function mixCase(text: string, upper: Iterator<boolean>): string {
  return text.replace(/%\{[^}]*\}|[a-z]/g, (part) =>
    part.length === 1 && upper.next().value === true ? part.toUpperCase() : part,
  );
}
