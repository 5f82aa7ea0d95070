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

/** The hidden first line. @param kind what the text is about: one of each kind is kept */
export function markerOf(kind: string): string {
  return `<!-- pulumi-mxhero: ${kind} -->`;
}

/** The whole body: the hidden line, then the text. */
export function marked(kind: string, markdown: string): string {
  return `${markerOf(kind)}\n${markdown.trim()}\n`;
}

export function isOwn({ body, user }: WrittenText, kind: string, login: string): boolean {
  const [firstLine] = (body ?? "").split(/\r?\n/, 1);
  return user?.login === login && firstLine === markerOf(kind);
}

/** GitHub stores line ends as it likes. */
export function isSameText(one: string | null | undefined, other: string): boolean {
  return plain(one ?? "") === plain(other);
}

function plain(text: string): string {
  return text.replaceAll("\r\n", "\n").trim();
}
