/** What the engine's display says of our resources, in fewer words. */

const line = /^ [-+~ ]{1,2} +mxhero:index:\w+ \S+ \S+(?: \([\d.hms]+\))?(.*)$/gm;
const counts = /^\d+ (?:message|warning|error)s?$/;
const spf = /^SPF of (\S+): (.*?) → (.*?)(?: \((\d+ of \d+ lookups).*\))?$/;

/** The texts beside our resources, in order, each once. What is not yet a whole line is left out. */
export function resourceTexts(display: string): string[] {
  const whole = display.slice(0, display.lastIndexOf("\n") + 1);
  const texts = [...whole.matchAll(line)].map(([, text = ""]) => text.trim());
  return [...new Set(texts)].filter((text) => text !== "" && !counts.test(text));
}

/** Of two SPF records only the terms that differ; every other text as it is. */
export function inBrief(text: string): string {
  const [, domain, before = "", after = "", lookups] = spf.exec(text) ?? [];
  if (domain === undefined) return text;
  const old = new Set(before.split(" "));
  const now = new Set(after.split(" "));
  const changes = [
    ...[...now].filter((term) => !old.has(term)).map((term) => `add ${term}`),
    ...[...old].filter((term) => !now.has(term)).map((term) => `remove ${term}`),
  ];
  const budget = lookups === undefined ? "" : ` (${lookups})`;
  return `SPF of ${domain}: ${changes.join(", ")}${budget}`;
}
