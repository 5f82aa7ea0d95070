/**
 * The ABNF of RFC 7208, appendix A, production by production, as sources of regular expressions.
 *
 * ABNF strings match regardless of case, so every expression built from these carries the flag `i`.
 * No production can match one text in two ways that matter: matching takes linear time.
 */

/** `macro-letter` without c, r and t, which section 7.2 allows in explanation texts only. */
const domainLetter = "[slodiphv]";
const explainLetter = "[slodiphvcrt]";

/** `transformers`: section 7.3 demands a number of parts other than zero. */
const transformers = "(?:0*[1-9][0-9]*)?r?";
const delimiter = "[-.+,/_=]";
const macroLiteral = "[\\x21-\\x24\\x26-\\x7e]";

const macroExpand = (letter: string) => `(?:%\\{${letter}${transformers}${delimiter}*\\}|%%|%_|%-)`;

/** Where an unknown modifier stands, the letters of explanation texts are not allowed either. */
const macroString = `(?:${macroExpand(domainLetter)}|${macroLiteral})*`;

const topLabel = "(?:[0-9]*[a-z][0-9a-z]*|[0-9a-z]+-[0-9a-z-]*[0-9a-z])";
const domainEnd = `(?:\\.${topLabel}\\.?|${macroExpand(domainLetter)})`;
const domainSpec = `(?<domain>${macroString}${domainEnd})`;

const ip4Length = "/(?<ip4Length>0|[1-9]|[12][0-9]|3[0-2])";
const ip6Length = "/(?<ip6Length>0|[1-9][0-9]?|1[01][0-9]|12[0-8])";
const dualLength = `(?:${ip4Length})?(?:/${ip6Length})?`;

const qnum = "(?:[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])";
const ip4Network = `(?<network>${qnum}(?:\\.${qnum}){3})`;
/** The characters of RFC 4291, section 2.2. Their order is checked by `isIp6`. */
const ip6Network = "(?<network>[0-9a-f:.]+)";

const whole = (source: string) => new RegExp(`^${source}$`, "i");

/** What follows the name of a mechanism. */
export const mechanismRest = {
  all: whole(""),
  include: whole(`:${domainSpec}`),
  a: whole(`(?::${domainSpec})?${dualLength}`),
  mx: whole(`(?::${domainSpec})?${dualLength}`),
  ptr: whole(`(?::${domainSpec})?`),
  ip4: whole(`:${ip4Network}(?:${ip4Length})?`),
  ip6: whole(`:${ip6Network}(?:${ip6Length})?`),
  exists: whole(`:${domainSpec}`),
} as const;

export type MechanismKind = keyof typeof mechanismRest;

/** What follows the `=` of a modifier. */
export const modifierValue = {
  redirect: whole(domainSpec),
  exp: whole(domainSpec),
  unknown: whole(macroString),
} as const;

/** A term's qualifier, its name, and the rest, which the name decides about. */
export const termHead = /^(?<qualifier>[-+?~]?)(?<name>[a-z][a-z0-9_.-]*)(?<rest>[^]*)$/i;

/** `version`, which ends with a space or with the record (section 4.5). */
export const version = /^v=spf1(?= |$)/i;

/** `explain-string` (section 6.2). */
export const explainString = whole(`(?:${macroExpand(explainLetter)}|${macroLiteral}| )*`);

/** One `macro-expand` inside a text that is known to follow the grammar. */
export const macro =
  /%(?:\{(?<letter>[a-z])(?<digits>[0-9]*)(?<reverse>r?)(?<delimiters>[-.+,/_=]*)\}|(?<literal>[%_-]))/gi;
