/** Every code in the sources is explained in refusals.md, and every code there exists. */
import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { NOTE_IDS } from "../mail/preview-note.ts";
import { CHECK_IDS } from "../mail/verify/check.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Texts of the same form that are no codes. Those of `npm run verify` stand in verify.md, those of a preview in report.md. */
const otherTexts = new Set<string>([
  ...CHECK_IDS,
  ...NOTE_IDS,
  "at-once",
  "debian-12-arm64-20260210-2384",
  "diff-tree",
  "draft-7",
  "eu-central-1",
  "eu-central-1a",
  "eu-central-1b",
  "grpc-status-details-bin",
  "in-addr",
  "ls-files",
  "ls-tree",
  "mail-path-report",
  "merge-base",
  "naming-scheme",
  "not-held",
  "present-mx",
  "preview-destroy",
  "preview-refresh",
  "pulumi-mxhero",
  "queue-age",
  "ratelimit-policy",
  "retry-after",
  "rev-list",
  "rev-parse",
  "smtp-in",
  "smtp-relay",
  "stale-routes",
  "subnet-0123456789abcdef0",
  "vol-0123456789abcdef0",
  "x-should-retry",
]);

function codesInSources(): Set<string> {
  const files = globSync("{mail,config,provider,components,stacks,commands,fleet,github}/**/*.ts", {
    cwd: root,
    exclude: [
      "**/*.test.ts",
      "**/testdata/**",
      "config/example-*.ts",
      "provider/protocol/toy-*.ts",
    ],
  });
  const texts = files.flatMap((file) => {
    const source = readFileSync(`${root}/${file}`, "utf8");
    return [...source.matchAll(/"([a-z][a-z0-9]*(?:-[a-z0-9]+)+)"/g)].map(([, text = ""]) => text);
  });
  return new Set(texts.filter((text) => !otherTexts.has(text)));
}

/** The cells of each row that begins with a code. */
function rows(): string[][] {
  const lines = readFileSync(new URL("refusals.md", import.meta.url), "utf8").split("\n");
  return lines
    .filter((line) => line.startsWith("| `"))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
}

test("every code is documented once, and every documented code exists", () => {
  const documented = rows().map(([code = ""]) => code.replaceAll("`", ""));
  const codes = codesInSources();
  expect(codes.size).toBeGreaterThan(50);
  expect({
    missing: [...codes].filter((code) => !documented.includes(code)),
    unknown: documented.filter((code) => !codes.has(code)),
    twice: documented.filter((code, index) => documented.indexOf(code) !== index),
  }).toEqual({ missing: [], unknown: [], twice: [] });
});

test("every code has a meaning and a way on", () => {
  expect(rows().filter((cells) => cells.length !== 3 || cells.includes(""))).toEqual([]);
});
