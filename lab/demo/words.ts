/** The demonstration's findings as lines for a person. Colours only where the terminal takes them. */
import { styleText } from "node:util";
import { toUnicodeName } from "../../mail/domain-name.ts";
import type { Journey } from "../world.ts";
import type { DomainView } from "./domain-view.ts";
import { hasArrived, type Sent } from "./mail-stream.ts";

export function heading(text: string): string {
  return styleText("bold", text);
}

/** The hosts that the message passed; where it did not arrive, why. */
export function mailPath(journey: Journey): string {
  const { outcome, path, reason } = journey;
  if (hasArrived(journey)) return path.join(" → ");
  return `${outcome} (${reason})${outcome === "delivered" ? ", but kept nowhere" : ""}`;
}

/** Where mail goes, and the records that say so. */
export function fullView(view: DomainView): string {
  const { journey, mx, spf, journal } = view;
  const rows = [
    ["mail", mailPath(journey)],
    ["MX", mx],
    ["SPF", spf],
  ];
  if (journal !== undefined) rows.push(["journal", `${journal.name}: put back ${journal.former}`]);
  return block(view, rows);
}

/** The same, and whether a receiver now takes mail of the domain from the gateway. */
export function changedView(view: DomainView, before: DomainView | undefined): string {
  const then = before?.sentByGateway;
  const now = view.sentByGateway;
  const verdict = `    ${"".padEnd(8)} mail of the domain that the gateway sends: ${now}, was ${then}`;
  return then === now ? fullView(view) : `${fullView(view)}\n${verdict}`;
}

export function pathView(view: DomainView): string {
  return block(view, [["mail", mailPath(view.journey)]]);
}

function block({ domain }: DomainView, rows: readonly (readonly string[])[]): string {
  const name = toUnicodeName(domain);
  const title = name === domain ? name : `${name} (${domain})`;
  const lines = rows.map(
    ([label = "", text]) => `    ${styleText("dim", label.padEnd(8))} ${text}`,
  );
  return [`  ${styleText("cyan", title)}`, ...lines].join("\n");
}

/** E.g. `Mail meanwhile: 34 messages sent; 20 arrived straight, 14 through the gateway; 0 lost`. */
export function mailInShort(messages: readonly Sent[], gateway: string): string {
  const arrived = messages.filter(({ journey }) => hasArrived(journey));
  const through = arrived.filter(({ journey }) => journey.path.includes(gateway)).length;
  const ways = `${arrived.length - through} arrived straight, ${through} through the gateway`;
  const lost = messages.length - arrived.length;
  return `Mail meanwhile: ${messages.length} messages sent; ${ways}; ${lost} lost`;
}

/** How many messages went each way, the ways in order. */
export function mailWays(messages: readonly Sent[]): string[] {
  const ways = Map.groupBy(messages, ({ journey }) => mailPath(journey));
  return [...ways]
    .toSorted(([a], [b]) => a.localeCompare(b))
    .map(([way, { length }]) => `  ${String(length).padStart(4)}  ${way}`);
}
