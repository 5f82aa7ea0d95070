/** What a YAML text says, or the first reason why it says nothing, with its place. */
import { type Document, isNode, LineCounter, parseDocument, visit } from "yaml";

export type YamlContent =
  | { readonly kind: "content"; readonly content: unknown }
  | {
      readonly kind: "faulty";
      readonly problem: string;
      /** Missing where it is a matter of the whole text. */
      readonly place?: { readonly line: number; readonly column: number };
    };

type Parsed = Document.Parsed;

export function yamlContent(text: string): YamlContent {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const faulty = (problem: string, offset: number | undefined): YamlContent => {
    if (offset === undefined) return { kind: "faulty", problem };
    const { line, col } = lines.linePos(offset);
    return { kind: "faulty", problem, place: { line, column: col } };
  };
  const [error] = document.errors;
  if (error !== undefined) {
    const [problem = ""] = error.message.split(" at line ");
    return faulty(problem, error.pos[0]);
  }
  const alias = faultyAlias(document);
  if (alias !== undefined) return faulty(alias.problem, alias.offset);
  try {
    return { kind: "content", content: document.toJS() };
  } catch (reason) {
    // Aliases of aliases: what they would grow to is only seen when they are followed.
    return faulty(reason instanceof Error ? reason.message : String(reason), undefined);
  }
}

/** No fault of the grammar: `*.example.com` without quotes is an alias. */
function faultyAlias(
  document: Parsed,
): { problem: string; offset: number | undefined } | undefined {
  let found: { problem: string; offset: number | undefined } | undefined;
  visit(document, {
    Alias: (_key, alias) => {
      const target = alias.resolve(document);
      const problem =
        target === undefined
          ? `*${alias.source} is an alias, and nothing before it has the anchor &${alias.source}`
          : holds(target, alias)
            ? `*${alias.source} is an alias of what it stands in`
            : undefined;
      if (problem === undefined) return undefined;
      found = { problem, offset: alias.range?.[0] };
      return visit.BREAK;
    },
  });
  return found;
}

function holds(outer: unknown, inner: unknown): boolean {
  if (!isNode(outer) || !isNode(inner) || !outer.range || !inner.range) return false;
  const [begin, , end] = outer.range;
  return begin <= inner.range[0] && inner.range[0] < end;
}
