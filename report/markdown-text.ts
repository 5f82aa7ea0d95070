/**
 * Text in GitHub's Markdown out of which no value breaks.
 *
 * Markdown has no way to mark a text as plain: GitHub turns `@name`, `#12`, addresses and hashes into links after all
 * escapes are gone. So each word that is more than letters and simple punctuation becomes a code span, where nothing
 * is a link, HTML or a mention. Sources: github.github.com/gfm, sections 6.1 and 6.3 (code spans), 4.5 (fenced code
 * blocks); docs.github.com, "Autolinked references and URLs".
 */
import { shortened, visible } from "./visible-text.ts";

/** In characters. No text of this project is as long; a value may be. */
const LONGEST_TEXT = 2_000;
const LONGEST_LINE = 1_000;

/** A word that Markdown and GitHub leave as it is, with the punctuation around it. */
const PLAIN = /^["“(]*[\p{L}\p{N}]+(?:['’-][\p{L}\p{N}]+)*[)"”.,;:!?%]*$/u;
const SYMBOL = /^(?:→|–|—)$/u;
/** Stands between words in paths through a menu; escaped it is nothing else. */
const MARK = /^[>|]$/;
/** In what GitHub links although it looks plain: commits, and issues as `GH-12`. */
const LINKED = /\b[0-9a-f]{7,}\b|gh-\d/i;
/** At the beginning of a line it would be a list. */
const NUMBERED = /^\d+[.)]/;
/** Punctuation that belongs to the sentence, not to the word. */
const AROUND = /^(["“(]*)([^]*?)([)"”.,;:!?]*)$/u;

/** A sentence in which values may stand. */
export function sentence(text: string): string {
  const words = shortened(visible(text), LONGEST_TEXT).split(" ").filter(Boolean);
  const parts: string[] = [];
  let others: string[] = [];
  const flush = () => {
    if (others.length > 0) parts.push(codeAmongWords(others.join(" ")));
    others = [];
  };
  for (const word of words) {
    if (isPlain(word)) {
      flush();
      parts.push(word);
    } else if (MARK.test(word) && others.length === 0 && parts.length > 0) {
      parts.push(`\\${word}`);
    } else {
      others.push(word);
    }
  }
  flush();
  return parts.join(" ");
}

function isPlain(word: string): boolean {
  if (SYMBOL.test(word)) return true;
  return PLAIN.test(word) && !LINKED.test(word) && !NUMBERED.test(word);
}

function codeAmongWords(text: string): string {
  const [, before = "", inner = "", after = ""] = AROUND.exec(text) ?? [];
  if (inner === "") return code(text);
  return `${before}${code(inner)}${after}`;
}

/** A code span with this text. */
export function code(text: string, limit = LONGEST_LINE): string {
  const shown = shortened(visible(text), limit);
  if (shown === "") return "(empty)";
  const fence = "`".repeat(longestRun(shown) + 1);
  // One space at each end is taken away again, unless there is nothing else.
  const padded = /^[` ]|[` ]$/.test(shown) ? ` ${shown} ` : shown;
  return `${fence}${padded.trim() === "" ? "(blanks)" : padded}${fence}`;
}

/** A code block with these lines. @param indent for a block inside a list's entry, in spaces */
export function codeBlock(lines: readonly string[], language = "text", indent = 0): string {
  const shown = lines.map((line) => shortened(visible(line), LONGEST_LINE));
  const fence = "`".repeat(Math.max(3, longestRun(shown.join("\n")) + 1));
  const space = " ".repeat(indent);
  return [`${fence}${language}`, ...shown, fence].map((line) => `${space}${line}`).join("\n");
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
}

/** A part that is folded away. @param title a text of this project, never a value */
export function fold(title: string, content: string): string {
  return `<details><summary>${title}</summary>\n\n${content}\n\n</details>`;
}
