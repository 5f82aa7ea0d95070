/** The steps of a person in Markdown. Their lines have the form of mail/steps/step.ts. */
import { codeBlock, sentence } from "./markdown-text.ts";

const COMMAND = "     ";
const WORDS = "   - ";
const REST = "   ";

export function stepTitles(all: readonly (readonly string[])[]): string {
  return all.map(([title = ""], index) => `${index + 1}. ${sentence(title)}`).join("\n");
}

export function steps(all: readonly (readonly string[])[]): string {
  return all.map((lines, index) => step(lines, `${index + 1}. `)).join("\n");
}

function step([title = "", ...lines]: readonly string[], number: string): string {
  const indent = number.length;
  const space = " ".repeat(indent);
  const parts = [`${number}${sentence(title)}`];
  let commands: string[] = [];
  const flush = () => {
    if (commands.length > 0) parts.push(codeBlock(commands, "text", indent));
    commands = [];
  };
  for (const line of lines) {
    if (line.startsWith(COMMAND)) {
      commands.push(line.slice(COMMAND.length));
      continue;
    }
    flush();
    parts.push(`${space}- ${sentence(line.replace(WORDS, "").replace(REST, ""))}`);
  }
  flush();
  return parts.join("\n");
}
