/** Texts of several stacks in one comment. Pure. */

/**
 * The texts one below the other, as many of them as fit, each whole: cut anywhere else, a code block would not be
 * closed. The first one is always there.
 *
 * @param limit in characters
 */
export function joinTexts(texts: readonly string[], limit: number): string {
  let joined = texts[0]?.trim() ?? "";
  for (const [index, text] of texts.entries()) {
    if (index === 0) continue;
    const next = `${joined}\n\n${text.trim()}`;
    const remaining = texts.length - index;
    if (next.length + left(remaining).length > limit) return `${joined}${left(remaining)}`;
    joined = next;
  }
  return joined;
}

function left(count: number): string {
  return `\n\n${count} more do not fit here.`;
}
