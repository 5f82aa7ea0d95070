/**
 * A kind of resource of a stand-in for another provider: what its API is asked, and nothing of Pulumi's protocol.
 *
 * Which change needs another resource, and which values the API fills in, follow the documentation of the real
 * provider: www.pulumi.com/registry/packages/aws, …/cloudflare.
 */
import { randomInt } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { z } from "zod";
import type { AnyKind } from "../provider/protocol/resource-calls.ts";
import type { Call, Change, Created, Found as Read, ResourceKind } from "../provider/resource.ts";

/** What the API says of a resource. */
export interface Found<Inputs> {
  /** Inputs as they are now; those that are left out are taken to be as they were given. */
  readonly inputs?: { readonly [Key in keyof Inputs]?: Inputs[Key] | undefined };
  /** Outputs besides the inputs. */
  readonly outputs?: object;
}

export interface StandIn<Inputs extends object> {
  readonly type: string;
  /** Strict. */
  readonly inputs: z.ZodType<Inputs> & { readonly shape: object };
  /** Inputs that need another resource when they change. */
  readonly replaceOn?: readonly (keyof Inputs & string)[];
  /** Inputs that the API fills in where the program gives none: that is no difference. */
  readonly computed?: readonly (keyof Inputs & string)[];
  /** @param name one that nothing else has, made from the resource's own. @returns the id */
  create(inputs: Inputs, name: string): Promise<string>;
  /** `undefined`: proven gone. */
  read(id: string, inputs: Inputs): Promise<Found<Inputs> | undefined>;
  /** Left out where no input can change in place. */
  update?(id: string, news: Inputs, old: Inputs): Promise<void>;
  delete(id: string, inputs: Inputs): Promise<void>;
}

type Stored = Record<string, unknown>;

/** A file as the engine sends it: developer-docs/architecture/deployment-execution/resource-registration. */
export const fileAsset = z.strictObject({
  "4dabf18193072939515e22adb298388d": z.literal("c44067f5952c0a294b673a41bacd8c17"),
  hash: z.string(),
  /** Not in the state. */
  path: z.string().exactOptional(),
});

/** Makes it a kind of resource that the protocol's server can serve. */
export function standInKind<Inputs extends object>(resource: StandIn<Inputs>): AnyKind {
  return new StandInKind(resource);
}

class StandInKind<Inputs extends object> implements ResourceKind<Inputs, Stored> {
  readonly type: string;
  readonly inputs: z.ZodType<Inputs>;
  readonly outputs = z.record(z.string(), z.unknown());
  readonly replaceOn: readonly string[];
  readonly #resource: StandIn<Inputs>;

  constructor(resource: StandIn<Inputs>) {
    this.type = resource.type;
    this.inputs = resource.inputs;
    this.replaceOn = resource.replaceOn ?? [];
    this.#resource = resource;
  }

  diff(old: Stored, news: Inputs): Change[] {
    return differences(this.#resource, this.#inputsOf(old), news);
  }

  create(inputs: Inputs, call: Call): Promise<Created<Stored>> {
    return named(this.type, async () => {
      if (call.preview) return { id: "", outputs: {} };
      const id = await this.#resource.create(inputs, uniqueName(call.urn));
      return { id, outputs: await this.#written(id, inputs) };
    });
  }

  read(id: string, old: Stored | undefined): Promise<Read<Inputs, Stored> | undefined> {
    return named(this.type, async () => {
      if (old === undefined) throw new Error("the stand-in cannot import");
      const now = await this.#stateOf(id, this.#inputsOf(old));
      return now && { inputs: this.#inputsOf(now), outputs: { ...old, ...now } };
    });
  }

  update(id: string, old: Stored, news: Inputs, call: Call): Promise<Stored> {
    return named(this.type, async () => {
      if (this.#resource.update === undefined) {
        throw new Error("the stand-in cannot change it in place");
      }
      if (call.preview) return { ...old, ...news };
      await this.#resource.update(id, news, this.#inputsOf(old));
      return this.#written(id, news);
    });
  }

  delete(id: string, old: Stored): Promise<void> {
    return named(this.type, () => this.#resource.delete(id, this.#inputsOf(old)));
  }

  #inputsOf(stored: Stored): Inputs {
    const known = Object.keys(this.#resource.inputs.shape);
    const members = Object.entries(stored).filter(([key]) => known.includes(key));
    return this.inputs.parse(Object.fromEntries(members));
  }

  async #stateOf(id: string, inputs: Inputs): Promise<Stored | undefined> {
    const found = await this.#resource.read(id, inputs);
    return found && withoutUndefined({ ...inputs, ...found.inputs, ...found.outputs });
  }

  async #written(id: string, inputs: Inputs): Promise<Stored> {
    const state = await this.#stateOf(id, inputs);
    if (state === undefined) throw new Error(`${id} is gone right after it was written`);
    return state;
  }
}

/** @returns undefined where the API answers that there is no such thing */
export async function orGone<T>(asking: Promise<T>): Promise<T | undefined> {
  try {
    return await asking;
  } catch (error) {
    if (error instanceof Error && /NotFound|NoSuch|NonExistent/.test(error.name)) return undefined;
    throw error;
  }
}

/** A value that the API is documented to give, and an emulator might not. */
export function answered<T>(value: T | undefined | null, what: string): T {
  if (value === undefined || value === null) throw new Error(`The API gave no ${what}`);
  return value;
}

/** The JSON text as the program wrote it, if what was found says the same. */
export function sameJson(found: string | undefined, written: string): string | undefined {
  if (found === undefined) return undefined;
  return isDeepStrictEqual(JSON.parse(found), JSON.parse(written)) ? written : found;
}

/** A list as the program wrote it, if what was found is the same in another order. */
export function sameSet(found: readonly string[], written: readonly string[] | undefined) {
  return written !== undefined && equal(found, written) ? [...written] : [...found];
}

/** The SDK's errors carry what happened in their name: `InvalidSubnet.Conflict`. */
async function named<T>(type: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const name = error.name === "Error" ? "" : `${error.name}: `;
    throw new Error(`${type}: ${name}${error.message}`, { cause: error });
  }
}

function differences<Inputs extends object>(
  { inputs, replaceOn = [], computed = [] }: StandIn<Inputs>,
  old: Inputs,
  news: Inputs,
): Change[] {
  const before = new Map<string, unknown>(Object.entries(old));
  const after = new Map<string, unknown>(Object.entries(news));
  return Object.keys(inputs.shape).flatMap((path) => {
    if (!after.has(path) && (!before.has(path) || isOneOf(path, computed))) return [];
    if (equal(before.get(path), after.get(path))) return [];
    const kind = !after.has(path) ? "delete" : before.has(path) ? "update" : "add";
    return [{ path, kind, replace: isOneOf(path, replaceOn) } as const];
  });
}

function isOneOf(key: string, keys: readonly string[]): boolean {
  return keys.includes(key);
}

/** Lists of names are sets, and a file is its content: where it lay is not kept in the state. */
function equal(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(normal(one), normal(other));
}

function normal(value: unknown): unknown {
  const asset = fileAsset.safeParse(value);
  if (asset.success) return asset.data.hash;
  const isNames = Array.isArray(value) && value.every((item) => typeof item === "string");
  return isNames ? value.toSorted() : value;
}

/** The real provider's way to name what the program does not: the resource's name and seven hex digits. */
function uniqueName(urn: string): string {
  const name = urn.split("::").at(-1) ?? "";
  return `${name}-${randomInt(16 ** 7)
    .toString(16)
    .padStart(7, "0")}`;
}

function withoutUndefined(value: object): Stored {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined));
}
