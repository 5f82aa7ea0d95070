/** The terms of an SPF record, and the parser of one term (RFC 7208, sections 4.6.1, 5 and 6). */
import { isIp6, type PrefixLengths } from "./address.ts";
import { type MechanismKind, mechanismRest, modifierValue, termHead } from "./grammar.ts";
import { SpfSyntaxError } from "./syntax-error.ts";
import { describeTermFault } from "./term-fault.ts";

export type SpfQualifier = "+" | "-" | "?" | "~";

interface HostMechanism<Kind> {
  readonly kind: Kind;
  readonly domain: string | undefined;
  readonly lengths: PrefixLengths;
}

interface NetworkMechanism<Kind> {
  readonly kind: Kind;
  readonly network: string;
  readonly length: number;
}

export type SpfMechanism =
  | { readonly kind: "all" }
  | { readonly kind: "include"; readonly domain: string }
  | { readonly kind: "exists"; readonly domain: string }
  | { readonly kind: "ptr"; readonly domain: string | undefined }
  | HostMechanism<"a">
  | HostMechanism<"mx">
  | NetworkMechanism<"ip4">
  | NetworkMechanism<"ip6">;

export type SpfModifier =
  | { readonly kind: "redirect"; readonly domain: string }
  | { readonly kind: "exp"; readonly domain: string }
  | { readonly kind: "unknown"; readonly modifier: string };

interface Place {
  /** The term as it is written. */
  readonly text: string;
  /** Where it starts in the record, in bytes from 0. */
  readonly position: number;
}

export type SpfDirective = Place & SpfMechanism & { readonly qualifier: SpfQualifier };

/** A term as it stands in a record. `domain` is the domain-spec as written, macros and all. */
export type SpfTerm = SpfDirective | (Place & SpfModifier);

export function isDirective(term: SpfTerm): term is SpfDirective {
  return "qualifier" in term;
}

/** @throws SpfSyntaxError when `text`, which starts at `position` of `record`, is no term. */
export function parseTerm(text: string, record = text, position = 0): SpfTerm {
  const term = matchTerm(text, position);
  if (term === undefined) {
    const { offset, problem, fix } = describeTermFault(text);
    throw new SpfSyntaxError({ record, position: position + offset, problem, fix });
  }
  return term;
}

function matchTerm(text: string, position: number): SpfTerm | undefined {
  const { qualifier = "", name = "", rest = "" } = termHead.exec(text)?.groups ?? {};
  if (name === "") return undefined;
  if (rest.startsWith("=")) {
    const modifier =
      qualifier === "" ? matchModifier(name.toLowerCase(), rest.slice(1)) : undefined;
    return modifier && { text, position, ...modifier };
  }
  const mechanism = matchMechanism(name.toLowerCase(), rest);
  return mechanism && { text, position, qualifier: toQualifier(qualifier), ...mechanism };
}

function toQualifier(text: string): SpfQualifier {
  return text === "-" || text === "?" || text === "~" ? text : "+";
}

function matchModifier(name: string, value: string): SpfModifier | undefined {
  if (name === "redirect" || name === "exp") {
    return modifierValue[name].test(value) ? { kind: name, domain: value } : undefined;
  }
  return modifierValue.unknown.test(value) ? { kind: "unknown", modifier: name } : undefined;
}

function isMechanismName(name: string): name is MechanismKind {
  return Object.hasOwn(mechanismRest, name);
}

function matchMechanism(kind: string, rest: string): SpfMechanism | undefined {
  if (!isMechanismName(kind)) return undefined;
  const match = mechanismRest[kind].exec(rest);
  return match === null ? undefined : buildMechanism[kind](match.groups ?? {});
}

type Groups = Readonly<Record<string, string | undefined>>;

const buildMechanism: Readonly<
  Record<MechanismKind, (groups: Groups) => SpfMechanism | undefined>
> = {
  all: () => ({ kind: "all" }),
  include: ({ domain = "" }) => ({ kind: "include", domain }),
  exists: ({ domain = "" }) => ({ kind: "exists", domain }),
  a: ({ domain, ...lengths }) => ({ kind: "a", domain, lengths: toLengths(lengths) }),
  mx: ({ domain, ...lengths }) => ({ kind: "mx", domain, lengths: toLengths(lengths) }),
  ptr: ({ domain }) => ({ kind: "ptr", domain }),
  ip4: ({ network = "", ...lengths }) => ({
    kind: "ip4",
    network,
    length: toLengths(lengths).ip4,
  }),
  ip6: ({ network = "", ...lengths }) =>
    isIp6(network) ? { kind: "ip6", network, length: toLengths(lengths).ip6 } : undefined,
};

function toLengths({ ip4Length = "32", ip6Length = "128" }: Groups): PrefixLengths {
  return { ip4: Number(ip4Length), ip6: Number(ip6Length) };
}
