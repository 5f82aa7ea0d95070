/** What is left of a domain in a fleet's store, and when each of it deletes itself. Pure: items in, sentences out. */
import { decodeHoldings } from "./holdings.ts";
import { expiryOf, type FoundItem, textOf } from "./item.ts";

/** Something that mentions the domain or its organisation. */
export interface StoreTrace {
  readonly text: string;
  /** When it deletes itself, ISO 8601, UTC; `undefined`: it stays. */
  readonly ends: string | undefined;
}

/** The items of a domain's own partition. */
export function domainTraces(items: readonly FoundItem[]): StoreTrace[] {
  return items.map((item) => {
    const name = textOf(item, "sk");
    const text =
      name === "route" ? "the route" : `what slot ${name.replace(/^slot#/, "")} answered`;
    return { text, ends: expiryOf(item) };
  });
}

/**
 * Entries in blocks that other organisations may share: a block deletes itself with the last of it, and is freed of
 * what has ended by whoever writes it next. An entry that has ended holds nothing until then.
 *
 * @param isMeant whether a name and its holder are looked for
 */
export function holdingTraces(
  blocks: readonly FoundItem[],
  isMeant: (name: string, organisation: string) => boolean,
): StoreTrace[] {
  return blocks.flatMap((block) =>
    Object.entries(decodeHoldings(block)).flatMap(([name, holders]) =>
      holders
        .filter(({ organisation }) => isMeant(name, organisation))
        .map(({ organisation, routes, until }) => ({
          text: `${name} is held by ${organisation}`,
          ends: expiryOf(block) ?? (routes === 0 ? until : undefined),
        })),
    ),
  );
}
