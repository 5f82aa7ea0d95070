/** Decides which stacks a change of the repository touches. No I/O. */
import { stackOfFile } from "./stack-files.ts";

export interface ChangedFile {
  /** From the project's folder. */
  readonly file: string;
  readonly isRemoved: boolean;
}

export interface TouchedStacks {
  /** Those with a changed file, or `all`: the program has changed. */
  readonly stacks: "all" | ReadonlySet<string>;
  /** Those whose file was removed: they are to be offboarded. */
  readonly removed: ReadonlySet<string>;
}

/** What no stack's program reads: documents, tests, the lab, and the commands around Pulumi. */
const NO_PROGRAM = [
  /^(?:\.[^/]+|commands|docs|examples|fleet|lab|report|tests)\//,
  /^[^/]*(?:\.jsonc?|\.svg|LICENSE|CODEOWNERS)$/,
  /\.md$/,
  /^tools\/(?!language-host)/,
  /^\.[^/]+$/,
  /(?:^|\/)testdata\//,
  /\.test\.ts$/,
];

/** Packages can change what a program does; other JSON files at the top cannot. */
const PACKAGES = new Set(["package.json", "package-lock.json", "tsconfig.json"]);

/** @param present the stacks that have a file now, be it in git or not: none of them is removed */
export function touchedStacks(
  changed: readonly ChangedFile[],
  present: ReadonlySet<string>,
): TouchedStacks {
  const ofStacks = changed.flatMap(({ file, isRemoved }) => {
    const stack = stackOfFile(file);
    return stack === undefined ? [] : [{ stack, isRemoved: isRemoved && !present.has(stack) }];
  });
  const removed = new Set(ofStacks.filter((entry) => entry.isRemoved).map(({ stack }) => stack));
  const hasProgram = changed.some(({ file }) => stackOfFile(file) === undefined && isProgram(file));
  if (hasProgram) return { stacks: "all", removed };
  const stacks = ofStacks.filter((entry) => !entry.isRemoved).map(({ stack }) => stack);
  return { stacks: new Set(stacks), removed };
}

function isProgram(file: string): boolean {
  return PACKAGES.has(file) || !NO_PROGRAM.some((pattern) => pattern.test(file));
}
