/** In which order stacks are changed: a gateway stands before organisations come, and until they have left. */
import type { StackKind } from "../config/stack-file.ts";

interface Kinded {
  readonly kind: StackKind;
}

export interface Waves<Stack> {
  readonly gateways: readonly Stack[];
  readonly others: readonly Stack[];
}

export function inWaves<Stack extends Kinded>(stacks: readonly Stack[]): Waves<Stack> {
  return {
    gateways: stacks.filter(({ kind }) => kind === "gateway"),
    others: stacks.filter(({ kind }) => kind !== "gateway"),
  };
}
