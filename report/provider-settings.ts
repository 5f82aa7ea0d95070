/**
 * What a change of the settings of providers means. The stack's output `providerSettings` tells of them
 * (config/provider-settings.ts): for the providers that the engine makes itself a preview has no event.
 */
import { z } from "zod";
import type { SeenResource, StackPreview } from "./preview-reader.ts";
import { risk } from "./risk.ts";
import type { Risk } from "./stack-report.ts";

export interface SettingsChange {
  /** The stack is new: everything in it is. */
  readonly isNew: boolean;
  /** By key: `mxhero:resolvers`. The values are hashes; "" is none. */
  readonly keys: Readonly<Record<string, { readonly before: string; readonly after: string }>>;
}

const outputs = z
  .object({ providerSettings: z.record(z.string(), z.string()).default({}) })
  .nullish()
  .transform((found) => found?.providerSettings)
  .catch(undefined);
const state = z
  .object({ outputs })
  .nullish()
  .transform((found) => found?.outputs);

/** Of the stack's last event. `undefined` where nothing differs, and where the stack is to go. */
export function settingsChange(step: {
  readonly op: string;
  readonly old?: unknown;
  readonly new?: unknown;
}): SettingsChange | undefined {
  if (step.op === "delete") return undefined;
  const [was = {}, will = {}] = [state.parse(step.old), state.parse(step.new)];
  const names = [...new Set([...Object.keys(was), ...Object.keys(will)])].toSorted();
  const keys = names.flatMap((name) => {
    const [before, after] = [was[name] ?? "", will[name] ?? ""];
    return before === after ? [] : [[name, { before, after }] as const];
  });
  if (keys.length === 0) return undefined;
  return { isNew: step.op === "create", keys: Object.fromEntries(keys) };
}

/** A stack has these of its own from the start: they lead nobody's credentials elsewhere. */
const OF_NEW_STACKS: ReadonlySet<string> = new Set([
  "aws:region",
  "mxhero:apiToken",
  "mxhero:apiTokens",
]);

/** They change how long a run takes, and nothing else. */
const PACES: ReadonlySet<string> = new Set(["mxhero:waitSeconds", "mxhero:cloudflareShare"]);

export function settingsRisks({ settings, resources }: StackPreview): Risk[] {
  const all = Object.keys(settings?.keys ?? {});
  const keys = settings?.isNew === true ? all.filter((key) => !OF_NEW_STACKS.has(key)) : all;
  const found = resources.filter(isChangedProvider).map(providerKeys).filter(Boolean);
  const names = [...keys, ...found];
  if (names.length === 0) return [];
  const isPace = names.every((name) => PACES.has(name));
  return [
    risk(
      "provider-settings",
      isPace ? "low" : "high",
      isPace
        ? `Settings of the providers change: ${names.join(", ")}. They say how fast a run goes.`
        : `Settings of the providers change: ${names.join(", ")}. They say where credentials are sent, who is asked for DNS, or which program does the work.`,
      "Read the new values in the stack's file, and know who asks for them, before you merge.",
    ),
  ];
}

/** One that the program makes itself. */
export function isChangedProvider({ type, op }: SeenResource): boolean {
  return isProvider(type) && /update|replace/.test(op);
}

export function isProvider(type: string): boolean {
  return type.startsWith("pulumi:providers:");
}

/** "" where another version is all. */
function providerKeys({ type, changes }: SeenResource): string {
  const paths = changes.map(({ path }) => path);
  if (paths.length > 0 && paths.every((path) => path === "version")) return "";
  const name = type.replace("pulumi:providers:", "provider ");
  return paths.length === 0 ? name : `${name} (${paths.join(", ")})`;
}
