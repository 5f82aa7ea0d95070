/** For tests of the clients: who asks, with settings from an environment. */
import type { Caller } from "./cloudflare.ts";
import { readSettings } from "./settings.ts";

export interface TestCaller extends Caller {
  /** What the display was told. */
  readonly told: string[];
}

export function callerWith(
  env: Readonly<Record<string, string>>,
  signal = new AbortController().signal,
): TestCaller {
  const told: string[] = [];
  return { settings: readSettings({}, env), signal, progress: (line) => told.push(line), told };
}
