/** What was said in a preview of no domain: by the stack, its gateway's parts, or the engine itself. */
import { domainOf } from "./mail-domain.ts";
import type { Said, StackPreview } from "./preview-reader.ts";
import { risk } from "./risk.ts";
import { NOT_READ, noteRisk } from "./risk-said.ts";
import { faultOf, notesOf, warningsOf } from "./said.ts";
import type { Fault, Risk } from "./stack-report.ts";

/** Why there is no preview. Of a run that failed without an event, what it printed. */
export function stackErrors(preview: StackPreview): Fault[] {
  const { outcome, said } = preview;
  if (outcome.exitCode === 0 || said.some(isError)) {
    return ofStack(preview)
      .filter(isError)
      .flatMap(({ text }) => listed(text));
  }
  const text = outcome.text === "" ? "The preview was stopped before its end." : outcome.text;
  return [faultOf(text)];
}

function isError({ severity }: Said): boolean {
  return severity === "error";
}

/** A stack's file has its faults in one message, a line each with `- ` in front. */
function listed(text: string): Fault[] {
  const [first = "", ...lines] = text.split("\n- ");
  if (lines.length === 0) return [faultOf(first)];
  return lines.map((line) => {
    const [, where, problem = line] =
      /^(stacks\/\S+: config [^\s:]+(?::[^\s:]+)*): ([^]*)$/.exec(line) ?? [];
    return { ...(where !== undefined && { where }), problem };
  });
}

/** What could not be read, and why. */
export function stackUnread(preview: StackPreview): Fault[] {
  return ofStack(preview).flatMap((said) =>
    notesOf([said])
      .filter(({ id }) => id === "not-read")
      .map(({ id, text }) => ({ code: id, ...placeOf(said), problem: text })),
  );
}

export function stackRisks(preview: StackPreview): Risk[] {
  const all = ofStack(preview);
  const noted = all.flatMap((said) =>
    notesOf([said]).flatMap(({ id, text }) =>
      id === "not-read" ? [] : [noteRisk(id, placed(said, text))],
    ),
  );
  const warned = all.flatMap((said) =>
    warningsOf([said]).map((text) =>
      risk("warned", "medium", placed(said, text), "Read it before you merge."),
    ),
  );
  return [...(stackUnread(preview).length > 0 ? [NOT_READ] : []), ...noted, ...warned];
}

/** A domain that has no resource in the preview has no report of its own. */
function ofStack({ resources, said }: StackPreview): Said[] {
  const told = new Set(resources.map(({ urn }) => domainOf(urn)));
  return said.filter(({ urn }) => {
    const domain = domainOf(urn);
    return domain === undefined || !told.has(domain);
  });
}

function placed(said: Said, text: string): string {
  const { where } = placeOf(said);
  return where === undefined ? text : `${where}: ${text}`;
}

/** The resource's name, where it is one. */
function placeOf({ urn }: Said): { where?: string } {
  const [, , type, ...names] = urn.split("::");
  const isResource = type !== undefined && type !== "pulumi:pulumi:Stack" && names.length > 0;
  return isResource ? { where: names.join("::") } : {};
}
