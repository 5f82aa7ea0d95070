/** Says in plain words why a text is no SPF term, and what was probably meant. */
import { mechanismRest, termHead } from "./grammar.ts";

interface TermFault {
  /** Where in the term the fault stands. */
  readonly offset: number;
  readonly problem: string;
  readonly fix: string;
}

const forms = new Map([
  ["all", "`all` alone, without a domain or a length"],
  ["include", "`include:<domain>`"],
  ["a", "`a`, `a:<domain>` or `a:<domain>/<0 to 32>//<0 to 128>`"],
  ["mx", "`mx`, `mx:<domain>` or `mx:<domain>/<0 to 32>//<0 to 128>`"],
  ["ptr", "`ptr` or `ptr:<domain>`"],
  ["ip4", "`ip4:<a.b.c.d>` or `ip4:<a.b.c.d>/<0 to 32>`, without leading zeros"],
  ["ip6", "`ip6:<address>` or `ip6:<address>/<0 to 128>`"],
  ["exists", "`exists:<domain>`"],
  ["redirect", "`redirect=<domain>`"],
  ["exp", "`exp=<domain>`"],
]);

const outsideGrammar = /[^\x21-\x7e]/;
const strayPercent = /%(?!\{[slodiphv](?:0*[1-9][0-9]*)?r?[-.+,/_=]*\}|[%_-])/i;
const addressInName = /^[-+?~]?(?:a|mx|ptr|include):([0-9]+(?:\.[0-9]+){3}(?:\/[0-9]+)?)$/i;

export function describeTermFault(text: string): TermFault {
  return characterFault(text) ?? addressFault(text) ?? nameFault(text);
}

function characterFault(text: string): TermFault | undefined {
  const foreign = outsideGrammar.exec(text);
  if (foreign !== null) {
    const code = foreign[0].charCodeAt(0).toString(16).padStart(2, "0");
    return {
      offset: foreign.index,
      problem: `byte 0x${code} is not a visible ASCII character.`,
      fix: "Part terms by spaces only, and write international domain names in Punycode (xn--).",
    };
  }
  const percent = strayPercent.exec(text);
  if (percent === null) return undefined;
  return {
    offset: percent.index,
    problem: `the "%" in "${text}" starts no macro that is allowed here.`,
    fix: "Write %{<one of s l o d i p h v>}, or %% for a percent sign.",
  };
}

function addressFault(text: string): TermFault | undefined {
  const address = addressInName.exec(text)?.[1];
  if (address === undefined) return undefined;
  return {
    offset: 0,
    problem: `"${text}" has an address where a domain must stand.`,
    fix: `Write "ip4:${address}".`,
  };
}

function nameFault(text: string): TermFault {
  const name = termHead.exec(text)?.groups?.name?.toLowerCase() ?? "";
  const form = forms.get(name);
  if (form !== undefined) {
    return {
      offset: 0,
      problem: `"${text}" does not have the form of ${name}.`,
      fix: `Write ${form}. A domain needs a dot and a last label that is not only digits.`,
    };
  }
  const known = Object.keys(mechanismRest).join(", ");
  return {
    offset: 0,
    problem: `"${text}" is neither a mechanism nor a modifier.`,
    fix: `Use one of ${known}, or <name>=<value>.`,
  };
}
