/** Texts of unknown origin in Markdown: in a code block they can be no link, no mention and no HTML. */

export function onOneLine(text: string): string {
  return text.replaceAll(/\s+/g, " ").trim();
}

/** A fence longer than any in the text cannot be closed by it (CommonMark 0.31, 4.5). */
export function codeBlock(text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  return `${fence}text\n${text}\n${fence}`;
}
