/** The differences between a resource's state and its new inputs, unknown ones included. */

import type { Change, ResourceKind } from "../resource.ts";
import { pathText } from "./check.ts";
import { type Decoded, isWithin, type Path, type Value, valueAt, withValueAt } from "./wire.ts";

/**
 * What the resource's own `diff` answers, and besides:
 * an unknown input is a change at its path, and so is a value that has become a secret, for it lies in
 * clear in the state until it is written again.
 */
export function changes(
  kind: ResourceKind<object, object>,
  state: Decoded,
  old: object,
  news: Decoded,
): readonly Change[] {
  const known = kind.inputs.safeParse(withUnknownsOf(news, state.value));
  const found = known.success ? kind.diff(old, known.data) : [];
  const paths = new Set(found.map(({ path }) => path));
  const others = [...news.unknowns, ...newSecrets(state, news)]
    .map((path) => ({ path: pathText(path), kind: changeOf(state, path) }))
    .filter(({ path }) => !paths.has(path));
  return [...found, ...others];
}

function changeOf(state: Decoded, path: Path): Change["kind"] {
  return valueAt(state.value, path) === undefined ? "add" : "update";
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
