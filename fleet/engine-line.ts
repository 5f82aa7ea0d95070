/** A line of what the engine prints. Pure. */

export type EngineLine =
  | { readonly kind: "event"; readonly event: unknown }
  | { readonly kind: "text"; readonly text: string };

/**
 * Whether it is an event or a text shows by its form: the engine prints both on stdout. What is cut short, or only
 * begins as an event does, is a text: no line ends a run that is under way.
 */
export function readEngineLine(line: string): EngineLine {
  if (!line.startsWith("{")) return { kind: "text", text: line };
  try {
    return { kind: "event", event: JSON.parse(line) };
  } catch {
    return { kind: "text", text: line };
  }
}
