/** The text of the issue: what it says, that it fits, and that nothing breaks out of it. */
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { type Difference, driftText } from "./drift-text.ts";
import { BODY_LIMIT, marked } from "./own-text.ts";

const at = new Date("2026-11-27T03:17:00Z");

const difference: Difference = {
  stack: "contoso",
  domain: "contoso.test",
  kind: "differs",
  text: "The MX are 10 mail.contoso.test., not 10 smtp-in.gateway.test.",
  fix: "Run up.",
};

test("it says of each stack what differs, what was not read, and what to do", () => {
  const unread: Difference = { stack: "fabrikam", kind: "unread", text: "No token." };
  const { title, body } = driftText([difference, unread], at, "https://github.test/runs/1");
  expect(title).toBe("Mail: 1 difference, 1 not read in 2 stacks");
  expect(body).toContain("Looked at on 2026-11-27 at 03:17 UTC.");
  expect(body).toContain("https://github.test/runs/1");
  expect(body).toContain(
    "```text\nStack contoso\ncontoso.test: The MX are 10 mail.contoso.test., not 10 smtp-in.gateway.test.\n  to do: Run up.\n```",
  );
  expect(body).toContain("```text\nStack fabrikam\nstack: not read: No token.\n```");
});

test("of a look that has failed it says that nothing is known of any stack", () => {
  const { title, body } = driftText([{ kind: "unread", text: "It ended early." }], at, undefined);
  expect(title).toBe("Mail: 1 not read in all stacks");
  expect(body).toContain("```text\nAll stacks\nlook: not read: It ended early.\n```");
});

const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "```",
        "````",
        "~~~",
        "\n",
        "\r\n",
        "@everyone",
        "<img src=x>",
        "-->",
        "[a](b)",
      ),
      fc.string(),
    ),
  )
  .map((parts) => parts.join(""));

test("whatever stands in DNS, it stays inside its code block", () => {
  fc.assert(
    fc.property(nasty, nasty, (text, fix) => {
      const [head = "", ...rest] = driftText(
        [{ ...difference, text, fix }],
        at,
        undefined,
      ).body.split(/^(?=`{3,}text$)/m);
      expect(head).not.toContain("contoso.test");
      const lines = rest.join("").split("\n");
      const fence = lines[0]?.replace("text", "") ?? "";
      const closing = lines.findIndex((line, index) => index > 0 && line.trim().startsWith(fence));
      expect(closing).toBe(lines.length - 1);
    }),
  );
});

test("a thousand stacks fit into one issue, and it says how many are left out", () => {
  const many = Array.from({ length: 1_000 }, (_, index) => ({
    ...difference,
    stack: `stack-${index}`,
    text: "x".repeat(100),
  }));
  const { body } = driftText(many, at, undefined);
  expect(marked("drift", body).length).toBeLessThanOrEqual(BODY_LIMIT);
  const shown = body.match(/^Stack /gm)?.length ?? 0;
  expect(body).toContain(`${1_000 - shown} further stacks`);
});

test("a stack of which thousands of domains were not read hides neither the others nor the look's own end", () => {
  const large = Array.from({ length: 5_000 }, (_, index) => ({
    ...difference,
    stack: "large",
    domain: `domain-${index}.test`,
    kind: "unread" as const,
  }));
  const ended = { kind: "unread" as const, text: "It ended early." };
  const { body } = driftText([...large, difference, ended], at, undefined);
  const titles = body.split("\n").filter((line) => /^(?:All stacks|Stack )/.test(line));
  expect(titles).toEqual(["All stacks", "Stack large", "Stack contoso"]);
  expect(body).toContain("and 9960 lines more");
});
