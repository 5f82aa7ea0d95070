/** The chart of a soak as SVG: which path delivered how much over time, and what each tenant did meanwhile. */
import type { Arrival } from "./ledger.ts";
import type { Phase, PhaseBegin } from "./life.ts";
import type { SoakResult } from "./run-soak.ts";

const width = 960;
const left = 90;
const right = 20;
const top = 46;
const plotHeight = 220;
const rowHeight = 16;
const bins = 120;

const pathColours = { direct: "#4c78a8", gateway: "#f58518" } as const;
const phaseColours: Readonly<Record<Phase, string>> = {
  "off the gateway": "#4c78a8",
  "going on": "#b8d0e8",
  "on the gateway": "#f58518",
  changing: "#e45756",
  "going off": "#ffcf9e",
};

type Path = Arrival["path"];
type Count = Readonly<Record<Path, number>>;

export function chart({ began, ended, account, phases, tenants }: SoakResult): string {
  const copies = account.messages.flatMap((message) => message.copies);
  const counts = countByBin(copies, began, ended);
  const highest = Math.max(1, ...counts.map(({ direct, gateway }) => direct + gateway));
  const seconds = (ended - began) / 1000;
  const perMinute = (highest * bins * 60) / seconds;
  const height = top + plotHeight + 30 + tenants.length * rowHeight + 40;
  const lines = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text(left, 18, `${account.sent} messages, ${account.places.lost} lost`, 'font-weight="bold"'),
    ...legend(Object.entries(pathColours), left, 36, (path) => `delivered by the ${path} path`),
    area(
      counts.map(() => 0),
      counts.map(({ direct }) => direct),
      highest,
      pathColours.direct,
    ),
    area(
      counts.map(({ direct }) => direct),
      counts.map(({ direct, gateway }) => direct + gateway),
      highest,
      pathColours.gateway,
    ),
    text(left - 6, top + 10, `${Math.round(perMinute)}/min`, 'text-anchor="end"'),
    text(left - 6, top + plotHeight, "0", 'text-anchor="end"'),
    ...timeAxis(seconds),
    ...tenants.flatMap((tenant, row) => lifeRow(tenant, row, phases, began, ended)),
    ...legend(Object.entries(phaseColours), left, height - 10, (phase) => phase),
    "</svg>",
  ];
  return `${lines.join("\n")}\n`;
}

/** How many copies each path delivered in each part of the time. */
function countByBin(copies: readonly Arrival[], began: number, ended: number): Count[] {
  const binOf = ({ at }: Arrival) =>
    Math.min(bins - 1, Math.floor(((at - began) / (ended - began)) * bins));
  const byBin = Map.groupBy(copies, binOf);
  return Array.from({ length: bins }, (_, bin) => {
    const there = byBin.get(bin) ?? [];
    const direct = there.filter(({ path }) => path === "direct").length;
    return { direct, gateway: there.length - direct };
  });
}

/** Between two lines of values. */
function area(
  below: readonly number[],
  above: readonly number[],
  highest: number,
  colour: string,
): string {
  const y = (count: number) => number(top + plotHeight * (1 - count / highest));
  const forth = above.map((count, bin) => `${binCentre(bin)},${y(count)}`);
  const back = below.map((count, bin) => `${binCentre(bin)},${y(count)}`).toReversed();
  return `<polygon points="${[...forth, ...back].join(" ")}" fill="${colour}"/>`;
}

const plotWidth = width - left - right;

function binCentre(bin: number): number {
  return number(left + ((bin + 0.5) / bins) * plotWidth);
}

function timeAxis(seconds: number): string[] {
  const step = [10, 30, 60, 120, 300, 600].find((each) => seconds / each <= 12) ?? 1200;
  const marks = Array.from({ length: Math.floor(seconds / step) + 1 }, (_, index) => index * step);
  return marks.map((mark) => {
    const words = step < 60 ? `${mark} s` : `${mark / 60} min`;
    const x = number(left + (mark / seconds) * plotWidth);
    return text(x, top + plotHeight + 16, words, 'text-anchor="middle"');
  });
}

function lifeRow(
  tenant: string,
  row: number,
  phases: readonly PhaseBegin[],
  began: number,
  ended: number,
): string[] {
  const own = phases.filter((phase) => phase.tenant === tenant);
  const y = top + plotHeight + 28 + row * rowHeight;
  const x = (at: number) => left + ((at - began) / (ended - began)) * plotWidth;
  const bars = own.map(({ phase, at }, index) => {
    const next = own[index + 1]?.at ?? ended;
    return `<rect x="${number(x(at))}" y="${y}" width="${number(x(next) - x(at))}" height="${rowHeight - 4}" fill="${phaseColours[phase]}"/>`;
  });
  return [text(left - 6, y + rowHeight - 6, tenant, 'text-anchor="end"'), ...bars];
}

function legend<K extends string>(
  entries: readonly (readonly [K, string])[],
  x: number,
  y: number,
  words: (key: K) => string,
): string[] {
  return entries.flatMap(([key, colour], index) => {
    const at = x + index * 190;
    const box = `<rect x="${at}" y="${y - 10}" width="12" height="12" fill="${colour}"/>`;
    return [box, text(at + 18, y, words(key))];
  });
}

function text(x: number, y: number, words: string, more = ""): string {
  return `<text x="${x}" y="${y}" ${more}>${words}</text>`;
}

function number(value: number): number {
  return Math.round(value * 10) / 10;
}
