import { readFileSync, writeFileSync } from "node:fs";
import { micromark } from "micromark";
import { gfm, gfmHtml } from "micromark-extension-gfm";

const [, , file, out, open] = process.argv;
let html = micromark(readFileSync(file, "utf8"), {
  extensions: [gfm()],
  htmlExtensions: [gfmHtml()],
  allowDangerousHtml: true,
});
html = html.replace(
  /<blockquote>\s*<p>\[!WARNING\]\s*/g,
  '<blockquote class="warning"><p><b class="t">⚠ Warning</b><br>',
);
html = html.replace(
  /<code class="language-diff">([\s\S]*?)<\/code>/g,
  (_, t) =>
    `<code>${t
      .split("\n")
      .map((l) =>
        l.startsWith("+")
          ? `<span class="add">${l}</span>`
          : l.startsWith("-")
            ? `<span class="del">${l}</span>`
            : l,
      )
      .join("\n")}</code>`,
);
if (open) html = html.replaceAll("<details>", "<details open>");
const css = `body{font:14px/1.5 -apple-system,"Segoe UI","Noto Sans",Helvetica,Arial,"DejaVu Sans",sans-serif;color:#1f2328;width:860px;margin:16px auto;background:#fff}
.box{border:1px solid #d1d9e0;border-radius:6px}.head{background:#f6f8fa;border-bottom:1px solid #d1d9e0;padding:8px 16px;border-radius:6px 6px 0 0;color:#59636e}.body{padding:16px}
h2{font-size:1.5em;border-bottom:1px solid #d1d9e0b3;padding-bottom:.3em;margin:0 0 16px}h3{font-size:1.25em;margin:24px 0 16px}
code{background:#818b981f;border-radius:6px;padding:.2em .4em;font:85% ui-monospace,"DejaVu Sans Mono",monospace;white-space:break-spaces}
pre{background:#f6f8fa;border-radius:6px;padding:16px;overflow:auto;line-height:1.45}pre code{background:none;padding:0;white-space:pre}
.add{background:#dafbe1;color:#116329}.del{background:#ffebe9;color:#82071e}ul,ol{padding-left:2em}li+li{margin-top:.25em}
blockquote{border-left:.25em solid #d1d9e0;padding:0 1em;margin:0 0 16px}blockquote.warning{border-color:#9a6700}.t{color:#9a6700}summary{cursor:pointer}sub{font-size:75%}`;
writeFileSync(
  out,
  `<!doctype html><meta charset="utf-8"><style>${css}</style><div class="box"><div class="head"><b>mail-report</b> commented</div><div class="body">${html}</div></div>`,
);
