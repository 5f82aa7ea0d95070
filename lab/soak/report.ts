/** What a soak has shown, for a person and for a program. */
import { type Account, type Found, faultsOf, type Place } from "./ledger.ts";
import type { SoakResult } from "./run-soak.ts";

const places: readonly Place[] = [
  "delivered",
  "unknown-user",
  "lost",
  "wrong-tenant",
  "refused",
  "given-up",
  "queued",
  "kept",
];

/** One line for each kind of sender: how many messages, by which path they arrived, where the others are. */
export function table({ account }: SoakResult): string {
  const bySender = Map.groupBy(
    account.messages,
    ({ direction, sender }) => `${direction}: ${sender}`,
  );
  const titles = ["", "sent", "direct", "gateway", "tries > 1", ...places];
  const rows = [...bySender].map(([name, messages]) => rowOf(name, messages));
  const all = [titles, ...rows, rowOf("all", account.messages)];
  const widths = titles.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all
    .map((row) => row.map((cell, column) => aligned(cell, widths[column] ?? 0, column)).join("  "))
    .join("\n");
}

function rowOf(name: string, messages: readonly Found[]): string[] {
  const count = (wanted: (message: Found) => boolean) => String(messages.filter(wanted).length);
  const first = (path: string) => count(({ copies }) => copies[0]?.path === path);
  return [
    name,
    String(messages.length),
    first("direct"),
    first("gateway"),
    count(({ fate }) => (fate?.attempts ?? 0) > 1),
    ...places.map((place) => count((message) => message.place === place)),
  ];
}

function aligned(cell: string, width: number, column: number): string {
  return column === 0 ? cell.padEnd(width) : cell.padStart(width);
}

/** The rest of the findings, one a line; at the end what is not as it has to be. */
export function findings(result: SoakResult): string[] {
  const { account, cycles, tenants, began, ended } = result;
  const { duplicates, falselyBounced, spfWorse, spf } = account;
  const minutes = ((ended - began) / 60_000).toFixed(1);
  const verdicts = Object.entries(spf).map(([verdict, count]) => `${verdict} ${count}`);
  return [
    `${tenants.length} tenants, ${cycles} cycles each, ${minutes} min, ${account.sent} messages`,
    `Duplicates: ${duplicates}; delivered and yet reported as failed: ${falselyBounced}`,
    `SPF at the receiver, by path: ${verdicts.join(", ")}; worse than by the direct path: ${spfWorse}`,
    ...faultsOf(account).map((fault) => `Fault: ${fault}`),
  ];
}

/** For `soak.json`: the figures, the phases, and every message that was not delivered or came twice. */
export function figures(result: SoakResult) {
  const { messages, ...totals }: Account = result.account;
  const odd = messages.filter(
    ({ place, copies }) => !["delivered", "unknown-user"].includes(place) || copies.length > 1,
  );
  return { ...result, account: totals, faults: faultsOf(result.account), odd };
}
