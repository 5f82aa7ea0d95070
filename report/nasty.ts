/** For tests: values that try to break out of a Markdown text or a terminal. */
import * as fc from "fast-check";

export const NASTY = [
  "`",
  "```",
  "````\n# Merged\n",
  "| a | b |\n|---|---|\n",
  "[click](https://evil.test/)",
  "![](https://evil.test/x.png)",
  "<https://evil.test/>",
  "<img src=x onerror=alert(1)>",
  "<script>alert(1)</script>",
  "</details></summary>",
  "<!-- ",
  "-->",
  "@octocat",
  "@org/team",
  "#12",
  "GH-12",
  "owner/repo#3",
  "0123456789abcdef0123456789abcdef01234567",
  "www.evil.test",
  "mail@evil.test",
  "&lt;b&gt;",
  "&#x3c;b&#x3e;",
  "\\",
  "\\`",
  "**bold** _it_ ~~s~~",
  "\n\n# All is well\n",
  "\r\n- item",
  "1. one",
  "> quote",
  "- [x] done",
  "[^1]: note",
  "[a]: https://evil.test",
  "$x$",
  ":tada:",
  "\u202eevil",
  "\u200b",
  "\u0000",
  "\u001b[31mred",
  "\u001b]0;title\u0007",
  "    indented",
  "---",
  "===",
  " ",
] as const;

/** Built from these and from anything else; sometimes long. */
export const nasty = fc
  .array(
    fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...NASTY) }, fc.string({ unit: "binary" })),
    {
      maxLength: 6,
    },
  )
  .map((parts) => parts.join(""));
