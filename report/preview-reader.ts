/**
 * Reads the events of a preview, and keeps of them only what a report needs. Secrets and the SDK's debug events, which
 * have secrets in clear, are dropped as they are read; nothing raw is stored.
 */
import { z } from "zod";
import { digestOf, textOf } from "./change-digest.ts";
import { type NamesChange, namesChange } from "./gateway-names.ts";
import { type KeptValues, PART_OF_TYPE, PARTS, type Part } from "./kept-values.ts";
import { isProvider, type SettingsChange, settingsChange } from "./provider-settings.ts";

export interface PreviewOutcome {
  /** `undefined`: a signal ended it. */
  readonly exitCode: number | undefined;
  /** What was printed beside the events; of a run that failed before the first event this is the reason. */
  readonly text: string;
}

/** One property that differs, in Pulumi's notation: `mx[1]`. */
export interface PropertyChange {
  readonly path: string;
  /** `add`, `update`, `delete`, and each with `-replace`. */
  readonly kind: string;
}

export interface SeenResource {
  readonly urn: string;
  readonly type: string;
  /** What the engine would do: `same`, `create`, `update`, `delete`, `replace`, `import`, `refresh`, … */
  readonly op: string;
  readonly changes: readonly PropertyChange[];
  /** Only of a domain's parts: as the state has it. */
  readonly old?: KeptValues;
  /** Only of a domain's parts: as it would be. */
  readonly new?: KeptValues;
  /** SHA-256 of what would be done to it, values that are not kept included. */
  readonly digest: string;
}

export interface Said {
  /** "" where it belongs to no resource. */
  readonly urn: string;
  readonly severity: "info" | "warning" | "error";
  readonly text: string;
}

export interface StackPreview {
  readonly outcome: PreviewOutcome;
  /** Whose domains they are. */
  readonly organisation?: string;
  /** What the providers are told otherwise than before. Missing where that is nothing. */
  readonly settings?: SettingsChange;
  /** The names of a gateway that differ. Missing where none does. */
  readonly names?: NamesChange;
  /** In the order of their URNs: the engine's order differs from run to run. */
  readonly resources: readonly SeenResource[];
  readonly said: readonly Said[];
}

const values = z.record(z.string(), z.unknown());
const resourceState = z.object({ inputs: values.nullish(), outputs: values.nullish() }).nullish();

const step = z.object({
  metadata: z.object({
    op: z.string(),
    urn: z.string(),
    type: z.string(),
    old: resourceState,
    new: resourceState,
    detailedDiff: z.record(z.string(), z.object({ diffKind: z.string() })).nullish(),
  }),
});

/** Of the component `Tenant` only its organisation is kept. */
const tenantOutputs = z.object({ organisation: z.string() });

const said = z.object({
  severity: z.enum(["info", "info#err", "warning", "error"]),
  message: z.string(),
  urn: z.string().default(""),
  ephemeral: z.boolean().default(false),
});

const wanted = z.union([
  z.object({ resourcePreEvent: step }),
  z.object({ resOutputsEvent: step }),
  z.object({ resOpFailedEvent: step }),
  z.object({ diagnosticEvent: said }),
]);

type Metadata = z.output<typeof step>["metadata"];

/** What the engine says after the reason, and what tells nothing by itself. */
const FOLLOWING = /^(?:update|preview|destroy|refresh) (?:failed|canceled)$/;

export class PreviewReader {
  readonly #resources = new Map<string, SeenResource>();
  readonly #said: Said[] = [];
  #organisation: string | undefined;
  #settings: SettingsChange | undefined;
  #names: NamesChange | undefined;

  /** An event of the engine, as `pulumi preview --json` streams it and the Automation API's `onEvent` gives it. */
  see(event: unknown): void {
    const parsed = wanted.safeParse(event);
    if (!parsed.success) return;
    if ("diagnosticEvent" in parsed.data) this.#hear(parsed.data.diagnosticEvent);
    else if ("resourcePreEvent" in parsed.data) this.#keep(parsed.data.resourcePreEvent.metadata);
    else if ("resOutputsEvent" in parsed.data) this.#end(parsed.data.resOutputsEvent.metadata);
    else this.#keep(parsed.data.resOpFailedEvent.metadata);
  }

  end(outcome: PreviewOutcome): StackPreview {
    const resources = [...this.#resources.values()].toSorted(byPlace);
    const organisation = this.#organisation;
    // A program that failed has told no outputs.
    const isWhole = outcome.exitCode === 0;
    const settings = isWhole ? this.#settings : undefined;
    const names = isWhole ? this.#names : undefined;
    return {
      outcome,
      ...(organisation !== undefined && { organisation }),
      ...(settings !== undefined && { settings }),
      ...(names !== undefined && { names }),
      resources,
      said: this.#said.toSorted(byPlace),
    };
  }

  #hear({ severity, message, urn, ephemeral }: z.output<typeof said>): void {
    const text = message.trim();
    if (ephemeral || text === "" || FOLLOWING.test(text)) return;
    const seen: Said = { urn, severity: severity === "info#err" ? "info" : severity, text };
    const isSame = (other: Said) => other.urn === urn && other.text === text;
    if (!this.#said.some(isSame)) this.#said.push(seen);
  }

  #end(metadata: Metadata): void {
    if (metadata.type === "pulumi:pulumi:Stack") {
      this.#settings = settingsChange(metadata);
      this.#names = namesChange(metadata);
    }
    this.#keep(metadata);
  }

  /** The last event of a resource knows most: its outputs. */
  #keep(metadata: Metadata): void {
    const { urn, type, op } = metadata;
    if (type === "mxhero:tenant:Tenant") this.#learn(metadata);
    const part = PART_OF_TYPE[type];
    const changes = changesOf(metadata);
    this.#resources.set(this.#keyOf(urn, op), {
      urn,
      type,
      op,
      changes: changes.toSorted((a, b) => (a.path < b.path ? -1 : 1)),
      ...(part && keptOf("old", part, metadata.old)),
      ...(part && keptOf("new", part, metadata.new)),
      digest: digestOf(metadata),
    });
  }

  #learn({ old, new: next }: Metadata): void {
    const known =
      tenantOutputs.safeParse(next?.outputs).data ?? tenantOutputs.safeParse(old?.outputs).data;
    this.#organisation = known?.organisation ?? this.#organisation;
  }

  /** A replacement has several steps under one URN. */
  #keyOf(urn: string, op: string): string {
    const isOfReplacement = /replace/.test(op);
    return isOfReplacement ? `${urn} ${op}` : urn;
  }
}

/** Of a provider the engine tells no property that differs. */
function changesOf({ type, op, old, new: next, detailedDiff }: Metadata): PropertyChange[] {
  if (op === "update" && isProvider(type)) {
    return inputChanges(old?.inputs ?? {}, next?.inputs ?? {});
  }
  const all = Object.entries(detailedDiff ?? {});
  return all.map(([path, { diffKind }]) => ({ path, kind: diffKind }));
}

function inputChanges(
  old: Readonly<Record<string, unknown>>,
  next: Readonly<Record<string, unknown>>,
): PropertyChange[] {
  const paths = [...new Set([...Object.keys(old), ...Object.keys(next)])];
  return paths.flatMap((path) => {
    if (textOf(old[path]) === textOf(next[path])) return [];
    const kind = !(path in old) ? "add" : path in next ? "update" : "delete";
    return [{ path, kind }];
  });
}

function byPlace(a: { readonly urn: string }, b: { readonly urn: string }): number {
  return a.urn === b.urn ? 0 : a.urn < b.urn ? -1 : 1;
}

/** Values of another form than expected, as of another version, are as if they were missing. */
function keptOf(
  side: "old" | "new",
  part: Part,
  state: Metadata["old"],
): Partial<Record<"old" | "new", KeptValues>> {
  if (state === undefined || state === null) return {};
  const parsed = PARTS[part].safeParse({ ...state.inputs, ...state.outputs });
  return parsed.success ? { [side]: { [part]: parsed.data } } : {};
}
