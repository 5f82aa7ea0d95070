/** The differences between a resource's state and its new inputs, unknown ones included. */

import type { Change, ResourceKind } from "../resource.ts";
import { pathText } from "./check.ts";
import { type Decoded, isWithin, type Path, type Value, valueAt, withValueAt } from "./wire.ts";

type AnyKind = ResourceKind<object, object>;

/**
 * What the resource's own `diff` answers, and besides:
 * an unknown input is a change at its path, and so is a value that has become a secret, for it lies in
 * clear in the state until it is written again.
 */
export function changes(
  kind: AnyKind,
  state: Decoded,
  old: object,
  news: Decoded,
): readonly Change[] {
  const known = kind.inputs.safeParse(withUnknownsOf(news, state.value));
  const found = known.success ? kind.diff(old, known.data) : [];
  const paths = new Set(found.map(({ path }) => path));
  const others = [
    ...news.unknowns.map((path) => unknownChange(kind, state, path)),
    ...newSecrets(state, news).map((path) => changeAt(state, path)),
  ].filter(({ path }) => !paths.has(path));
  return [...found, ...others];
}

function unknownChange({ replaceOn = [] }: AnyKind, state: Decoded, path: Path): Change {
  const replace = replaceOn.includes(String(path[0]));
  return { ...changeAt(state, path), ...(replace && { replace }) };
}

function changeAt(state: Decoded, path: Path): Change {
  const kind = valueAt(state.value, path) === undefined ? "add" : "update";
  return { path: pathText(path), kind };
}

/** The inputs with the state's values where they are unknown, so that the rest can be compared. */
function withUnknownsOf({ value, unknowns }: Decoded, state: Value): Value {
  return unknowns.reduce(
    (known: Value, path) => withValueAt(known, path, valueAt(state, path)),
    value,
  );
}

function newSecrets(state: Decoded, news: Decoded) {
  return news.secrets.filter(
    (path) =>
      valueAt(state.value, path) !== undefined &&
      !state.secrets.some((place) => isWithin(path, place)),
  );
}
