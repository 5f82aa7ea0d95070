/** How a changed input is reported to the engine. */
import { isDeepStrictEqual } from "node:util";
import type { Change } from "./resource.ts";

/** One change at the input's path, or none. */
export function inputChange(path: string, old: unknown, news: unknown): Change[] {
  if (isDeepStrictEqual(old, news)) return [];
  if (old === undefined) return [{ path, kind: "add" }];
  return [{ path, kind: news === undefined ? "delete" : "update" }];
}
