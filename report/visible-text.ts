/** Values from configuration and DNS as text that a reader sees as it is, on one line, and not without end. */

/**
 * Control characters, what turns the direction of a text (bidirectional overrides), and what is not seen at all: a
 * value could pretend to be another one with them, or command a terminal.
 */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}\p{Cs}]/gu;

/** Shows them as `\u{202e}`. A line break is a space. */
export function visible(text: string): string {
  return text.replaceAll(/\r\n|[\r\n\t]/g, " ").replaceAll(UNSEEN, escaped);
}

/**
 * All its lines. Those behind the first one begin with a mark, so that none is a command to whoever reads a log:
 * GitHub's runner obeys lines that begin with `::`.
 */
export function visibleLines(text: string): string {
  return text
    .split(/\r\n|[\r\n]/)
    .map(visible)
    .join("\n    | ");
}

function escaped(character: string): string {
  return `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`;
}

/** @param limit in characters as GitHub counts them, which are those of UTF-16 */
export function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  return `${text.slice(0, limit).toWellFormed()} … (${text.length - limit} more characters)`;
}
