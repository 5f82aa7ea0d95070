/** Names of what a comment has no room for. */

/** In characters: ` and 1000 more`. */
const MORE = 20;

/** `: a, b and 3 more`, as many as have room; "" where none has. */
export function named(names: readonly string[], room: number): string {
  const shown: string[] = [];
  let left = room - MORE;
  for (const name of names) {
    if (name.length + 2 > left) break;
    left -= name.length + 2;
    shown.push(name);
  }
  if (shown.length === 0) return "";
  const others = names.length - shown.length;
  return `: ${shown.join(", ")}${others === 0 ? "" : ` and ${others} more`}`;
}
