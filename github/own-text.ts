/**
 * What marks a comment or an issue as ours: a hidden first line, and who wrote it.
 *
 * Both must be so. Anyone can write the line into a comment, and the same bot writes for other workflows.
 */

/** A comment or an issue, as GitHub's REST API tells of it. */
export interface WrittenText {
  readonly body?: string | null | undefined;
  readonly user: { readonly login: string } | null;
}

/** GitHub's limit for a comment or an issue, in characters. */
export const BODY_LIMIT = 65_536;

/**
 * The hidden first line.
 *
 * @param kind what the text is about: one of each kind is kept
 * @param details what else the line says
 */
export function markerOf(kind: string, details?: string): string {
  return `${beginOf(kind)}${details === undefined ? "" : `; ${details}`}${END}`;
}

/** The whole body: the hidden line, then the text. */
export function marked(kind: string, markdown: string, details?: string): string {
  return `${markerOf(kind, details)}\n${markdown.trim()}\n`;
}

/** What the hidden line of this kind says besides: empty for nothing, undefined where there is no such line. */
export function markedDetails(body: string, kind: string): string | undefined {
  const [line = ""] = body.split(/\r?\n/, 1);
  if (line === markerOf(kind)) return "";
  const begin = `${beginOf(kind)}; `;
  if (!line.startsWith(begin) || !line.endsWith(END)) return undefined;
  return line.slice(begin.length, -END.length);
}

export function isOwn({ body, user }: WrittenText, kind: string, login: string): boolean {
  return user?.login === login && markedDetails(body ?? "", kind) !== undefined;
}

const END = " -->";

function beginOf(kind: string): string {
  return `<!-- pulumi-mxhero: ${kind}`;
}

/** GitHub stores line ends as it likes. */
export function isSameText(one: string | null | undefined, other: string): boolean {
  return plain(one ?? "") === plain(other);
}

function plain(text: string): string {
  return text.replaceAll("\r\n", "\n").trim();
}
