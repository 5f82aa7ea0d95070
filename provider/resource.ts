/**
 * What a resource of the provider is: observe, decide, change, observe again.
 *
 * The protocol (wire values, secrets, unknowns, partial failure) stays in the server. A resource sees
 * plain, validated values and throws errors: a refusal is a MailRuleError, which names its remedy.
 */
import type { z } from "zod";
import type { Settings } from "./settings.ts";

/** One kind of resource. `Inputs` is what a program gives; `Outputs` is the stored state, inputs included. */
export interface ResourceKind<Inputs extends object, Outputs extends object> {
  /** The type token, for example `mxhero:index:MxTakeover`. */
  readonly type: string;
  /** Strict: unknown keys are faults. Its faults name the path, and never repeat the value. */
  readonly inputs: z.ZodType<Inputs>;
  /** Inputs that are secrets whatever the program says: their paths. @default none */
  readonly secrets?: readonly (readonly (string | number)[])[];
  /**
   * Names of inputs that need another resource when they change. `diff` says so of known values; of an
   * unknown one the protocol does: the engine asks with unknown values what a replacement draws with it.
   * @default none
   */
  readonly replaceOn?: readonly string[];
  /** Parses what earlier calls stored. */
  readonly outputs: z.ZodType<Outputs>;

  /** What differs between the state and the new inputs. Without network, for it runs for the whole stack in a row. */
  diff(old: Outputs, news: Inputs): readonly Change[];

  /** In a preview `outputs` holds only what is certain; otherwise all of it. */
  create(inputs: Inputs, call: Call): Promise<Created<Outputs>>;

  /**
   * The resource as it is now, for a refresh (`old` is the state) or an import (`old` is undefined).
   * `undefined` means proven gone, with nothing left for `delete` to do: an error is never "gone".
   */
  read(
    id: string,
    old: Outputs | undefined,
    call: Call,
  ): Promise<Found<Inputs, Outputs> | undefined>;

  /** The new state. In a preview it holds only what is certain. */
  update(id: string, old: Outputs, news: Inputs, call: Call): Promise<Partial<Outputs>>;

  /** Idempotent. Its progress lies in the world: the engine keeps the state as it was when it throws. */
  delete(id: string, old: Outputs, call: Call): Promise<void>;
}

export interface Created<Outputs> {
  readonly id: string;
  readonly outputs: Partial<Outputs>;
}

export interface Found<Inputs, Outputs> {
  /** The id to store, where it is another than the one that was asked for (import by an alias). */
  readonly id?: string;
  /** The inputs a program would need to describe what was found. */
  readonly inputs: Inputs;
  readonly outputs: Outputs;
}

/** One difference, as `pulumi preview` shows it. */
export interface Change {
  /** A property path in Pulumi's notation: `domain`, `mx[1]`, `targets[0].host`. */
  readonly path: string;
  readonly kind: "add" | "update" | "delete";
  /** The change needs another resource: create, then delete of the old one. */
  readonly replace?: boolean;
}

/** What a resource is given for one call. */
export interface Call {
  readonly urn: string;
  /** Create and update only: make the real reads, change nothing, return what is certain. */
  readonly preview: boolean;
  /** Aborted by Cancel, by SIGINT, by the end of stdin: stop at the next safe point. */
  readonly signal: AbortSignal;
  readonly settings: Settings;
  /** A line in the resource's part of the display and in the summary. */
  info(message: string): void;
  warn(message: string): void;
  /** A line that is not kept: what is being waited for. */
  progress(message: string): void;
}

/**
 * Thrown by create, update and read when something was done and something is left to do.
 * The state is kept with the reasons, and the next `up` goes on with `update`.
 */
export class Unfinished<Outputs extends object> extends Error {
  readonly id: string;
  readonly outputs: Outputs;
  /** What is left to do, and why it was not done. Never empty: the engine takes no reason for "finished". */
  readonly reasons: readonly [string, ...string[]];

  constructor(
    id: string,
    outputs: Outputs,
    reasons: readonly [string, ...string[]],
    options?: ErrorOptions,
  ) {
    super(reasons.join("; "), options);
    this.name = "Unfinished";
    this.id = id;
    this.outputs = outputs;
    this.reasons = reasons;
  }
}
