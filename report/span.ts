/** Spans of time for people who do not count in seconds. */

const UNITS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;

/** `2 days`, `1 hour 30 minutes`: the two largest units. @param seconds rounded to whole ones */
export function span(seconds: number): string {
  let rest = Math.round(seconds);
  const parts = UNITS.flatMap(([name, size]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return count === 0 ? [] : [`${count} ${name}${count === 1 ? "" : "s"}`];
  });
  return parts.slice(0, 2).join(" ") || "no time";
}
