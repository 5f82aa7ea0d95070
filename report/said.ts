/** What was said of a domain in a preview, told apart: what could not be read, what was refused, notes, warnings. */
import { type Note, parseNote } from "../mail/preview-note.ts";
import type { Said } from "./preview-reader.ts";
import type { Fault } from "./stack-report.ts";

/** What could not be read, and why. */
export function unreadOf(said: readonly Said[]): Fault[] {
  return notesOf(said)
    .filter(({ id }) => id === "not-read")
    .map(({ id, text }) => ({ code: id, problem: text }));
}

export function faultsOf(said: readonly Said[]): Fault[] {
  return said.filter(({ severity }) => severity === "error").map(({ text }) => faultOf(text));
}

export function notesOf(said: readonly Said[]): Note[] {
  return said.flatMap(({ text }) => parseNote(text) ?? []);
}

/** Warnings that are no notes. */
export function warningsOf(said: readonly Said[]): string[] {
  return said
    .filter(({ severity, text }) => severity === "warning" && parseNote(text) === undefined)
    .map(({ text }) => text);
}

/** A refusal ends with its code, and with its place in the stack's file where that is known. */
export function faultOf(message: string): Fault {
  const text = message.replace(/^(?:Preview|Create|Update|Delete|Read) failed: /, "");
  const [, problem, code, where] =
    /^([^]*) \(([a-z0-9]+(?:-[a-z0-9]+)+)(?:; ([^()]*))?\)$/.exec(text) ?? [];
  if (problem === undefined || code === undefined) return { problem: text };
  return { code, ...(where !== undefined && { where }), problem };
}
