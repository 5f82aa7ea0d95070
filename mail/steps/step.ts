/** A step that a person has to take, and how a list of them reads. */

/** Lines to paste, and those that take their effect back. */
export interface CommandBlock {
  /** Where they are pasted: `Exchange Online PowerShell`, `shell, as root`. */
  readonly where: string;
  readonly lines: readonly string[];
  /** Empty where there is nothing to take back. */
  readonly undo: readonly string[];
}

export interface Step {
  /** Its place in regard to `pulumi up` or `pulumi destroy`: `Before pulumi up`. */
  readonly when: string;
  /** Whether `when` names the time from when a lock-down loses no mail. */
  readonly isTimed?: true;
  readonly title: string;
  /** What to do, a sentence or a setting each, in order. */
  readonly words: readonly string[];
  /** The same as commands; several are for several programs, of which one is in use. */
  readonly blocks: readonly CommandBlock[];
  /** How to see that it is done. */
  readonly check: readonly string[];
}

/** The steps of one domain, in order. */
export interface DomainSteps {
  readonly onboarding: readonly Step[];
  readonly offboarding: readonly Step[];
}

/** One step as lines of text. @param number counts from 1 */
export function formatStep(step: Step, number: number): string[] {
  return [
    `${number}. ${step.when}: ${step.title}`,
    ...step.words.map((text) => `   - ${text}`),
    ...step.blocks.flatMap(formatBlock),
    ...step.check.map((text) => `   Check: ${text}`),
  ];
}

function formatBlock({ where, lines, undo }: CommandBlock): string[] {
  return [
    `   In ${where}:`,
    ...lines.map((line) => `     ${line}`),
    ...(undo.length === 0 ? [] : ["   To undo it:", ...undo.map((line) => `     ${line}`)]),
  ];
}
