/** Two values or lists of them as `diff` shows them: `- ` goes, `+ ` comes, and what stays has two spaces in front. */

/** What stays keeps its order. @param nothing stands for an empty list or value */
export function difference(
  before: readonly string[],
  after: readonly string[],
  nothing: string,
): string[] {
  return [...lines(orNothing(before, nothing), orNothing(after, nothing))];
}

function orNothing(values: readonly string[], nothing: string): string[] {
  const shown = values.filter((value) => value !== "");
  return shown.length === 0 ? [nothing] : shown;
}

/** Longer ones are shown whole: nobody reads them term by term, and the time grows with the square. */
const MOST_TERMS = 200;

/** SPF records term by term, so that what comes and goes is seen in a long one. @param nothing stands for no record */
export function spfDifference(before: string, after: string, nothing: string): string[] {
  const [was, will] = [before.split(" "), after.split(" ")];
  const isRecord = [before, after].every((record) => /^v=spf1\b/i.test(record));
  const isShort = was.length <= MOST_TERMS && will.length <= MOST_TERMS;
  if (!isRecord || !isShort) return difference([before], [after], nothing);
  return lines(was, will);
}

/** By the longest common subsequence. */
function lines(before: readonly string[], after: readonly string[]): string[] {
  const common = commonLengths(before, after);
  const found: string[] = [];
  let [i, j] = [0, 0];
  while (i < before.length || j < after.length) {
    const [was, will] = [before[i], after[j]];
    if (was !== undefined && was === will) {
      found.push(`  ${was}`);
      i += 1;
      j += 1;
    } else if (
      will === undefined ||
      (was !== undefined && at(common, i + 1, j) >= at(common, i, j + 1))
    ) {
      found.push(`- ${was}`);
      i += 1;
    } else {
      found.push(`+ ${will}`);
      j += 1;
    }
  }
  return found;
}

/** `[i][j]`: how long the longest common subsequence of what follows is. */
function commonLengths(before: readonly string[], after: readonly string[]): number[][] {
  const table = Array.from({ length: before.length + 1 }, () =>
    Array<number>(after.length + 1).fill(0),
  );
  for (let i = before.length - 1; i >= 0; i -= 1) {
    for (let j = after.length - 1; j >= 0; j -= 1) {
      const row = table[i];
      if (row === undefined) continue;
      row[j] =
        before[i] === after[j]
          ? at(table, i + 1, j + 1) + 1
          : Math.max(at(table, i + 1, j), at(table, i, j + 1));
    }
  }
  return table;
}

function at(table: readonly (readonly number[])[], i: number, j: number): number {
  return table[i]?.[j] ?? 0;
}
