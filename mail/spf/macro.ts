/** Macro expansion (RFC 7208, section 7). Texts given here are known to follow the grammar. */
import { dottedAddress, readableAddress, reverseZone } from "./address.ts";
import { preferredName } from "./client-names.ts";
import { truncateName } from "./domain-name.ts";
import type { Evaluation } from "./evaluation.ts";
import { macro } from "./grammar.ts";

const literals: Readonly<Record<string, string>> = { "%": "%", _: " ", "-": "%20" };

/** The target name of a term: its domain-spec expanded, without trailing dot, at most 253 long. */
export async function expandDomain(
  evaluation: Evaluation,
  domain: string,
  domainSpec: string,
): Promise<string> {
  const expanded = await expandText(evaluation, domain, domainSpec);
  return truncateName(expanded.replace(/\.$/, ""));
}

/** Replaces the macros of `text`, which stands in the record of `domain`, or is its explanation. */
export function expandText(evaluation: Evaluation, domain: string, text: string): Promise<string> {
  return expandMacros(text, (letter) => macroValue(evaluation, domain, letter));
}

/**
 * The target name as far as it is the same for every message: `undefined` where the domain-spec
 * has other macros than `%{d}` and `%{o}`. `mailDomain` is the domain of MAIL FROM.
 */
export async function expandFixedDomain(
  domainSpec: string,
  domain: string,
  mailDomain: string,
): Promise<string | undefined> {
  if (/%\{[^do]/i.test(domainSpec)) return undefined;
  const expanded = await expandMacros(domainSpec, (letter) =>
    Promise.resolve(letter === "d" ? domain : mailDomain),
  );
  return truncateName(expanded.replace(/\.$/, ""));
}

async function expandMacros(
  text: string,
  valueOf: (letter: string) => Promise<string>,
): Promise<string> {
  let expanded = "";
  let end = 0;
  for (const match of text.matchAll(macro)) {
    const { literal, letter = "", digits = "", reverse = "", delimiters } = match.groups ?? {};
    expanded += text.slice(end, match.index);
    end = match.index + match[0].length;
    if (literal !== undefined) {
      expanded += literals[literal] ?? "";
      continue;
    }
    const value = await valueOf(letter.toLowerCase());
    const parts = transform(value, Number(digits), reverse !== "", delimiters || ".");
    expanded += letter === letter.toUpperCase() ? escapeUrl(parts) : parts;
  }
  return expanded + text.slice(end);
}

async function macroValue(
  { sender, client, helo, receiver, clientNames }: Evaluation,
  domain: string,
  letter: string,
): Promise<string> {
  switch (letter) {
    case "s":
      return `${sender.local}@${sender.domain}`;
    case "l":
      return sender.local;
    case "o":
      return sender.domain;
    case "d":
      return domain;
    case "i":
      return dottedAddress(client);
    case "p":
      return preferredName((await clientNames()).confirmed, domain);
    case "v":
      return reverseZone(client);
    case "h":
      return helo;
    case "c":
      return readableAddress(client);
    case "r":
      return receiver;
    case "t":
      return String(Math.floor(Date.now() / 1000));
    default:
      throw new RangeError(`"${letter}" is no macro letter; the parser should have refused it.`);
  }
}

/** Splits at any of the delimiters, reverses, keeps the rightmost `count` parts (0: all of them). */
function transform(value: string, count: number, reverse: boolean, delimiters: string): string {
  const parts = [""];
  for (const character of value) {
    if (delimiters.includes(character)) parts.push("");
    else parts.push((parts.pop() ?? "") + character);
  }
  if (reverse) parts.reverse();
  return parts.slice(-count).join(".");
}

/** Percent-encodes what is not unreserved in RFC 3986, also the five that encodeURIComponent keeps. */
function escapeUrl(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
