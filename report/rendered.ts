/** For tests: Markdown as GitHub's renderer makes HTML of it, taken apart. */
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";

export interface Rendered {
  readonly html: string;
  /** Each tag as it stands there, without those that end. */
  readonly tags: readonly string[];
  /** The text that is in no `<code>`: there GitHub looks for mentions and links. */
  readonly prose: string;
  /** The texts of all `<code>`. */
  readonly codes: readonly string[];
}

/** HTML in Markdown is passed on, as GitHub does before it takes away what is dangerous. */
export function rendered(markdown: string): Rendered {
  const html = micromark(markdown, {
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
    allowDangerousHtml: true,
  });
  const codes = [...html.matchAll(/<code[^>]*>([^]*?)<\/code>/g)].map(([, text = ""]) => text);
  const withoutCode = html.replaceAll(/<code[^>]*>[^]*?<\/code>/g, "▪");
  return {
    html,
    tags: [...html.matchAll(/<[a-z][^>]*>/gi)].map(([tag]) => tag),
    prose: decoded(withoutCode.replaceAll(/<[^>]*>/g, " ")),
    codes: codes.map(decoded),
  };
}

function decoded(text: string): string {
  return text
    .replaceAll("&lt;", "<")
    .replaceAll("&gt;", ">")
    .replaceAll("&quot;", '"')
    .replaceAll("&amp;", "&");
}

/** What GitHub makes links and mentions of although it is plain text. */
export const LINKED = /@|https?:|www\.|#\d|\bgh-\d|\b[0-9a-f]{7,40}\b|:[a-z0-9_+-]+:/i;
