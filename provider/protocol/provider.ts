/** What a provider is, to the protocol: its name, its configuration, and what it has. */
import type { z } from "zod";
import type { Settings } from "../settings.ts";
import type { Functions } from "./functions.ts";
import type { Kinds } from "./resource-calls.ts";

export interface Provider {
  /** The package in its type tokens, for example `mxhero`. */
  readonly name: string;
  /** Semver. */
  readonly version: string;
  readonly kinds: Kinds;
  /** @default none */
  readonly functions?: Functions;
  readonly configuration: {
    /** Strict: unknown keys are faults. */
    readonly schema: z.ZodObject;
    /** What resources are told of it. @throws if it is faulty */
    read(configured: unknown): Settings;
  };
}
