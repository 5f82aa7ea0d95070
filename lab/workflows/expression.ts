/** GitHub's expressions (`${{ … }}`), evaluated by GitHub's own evaluator. */
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";

/** The contexts by name: `github`, `inputs`, `secrets`, `needs`, … */
export type Contexts = Readonly<Record<string, unknown>>;

/** How what came before has ended: for `success()`, `failure()`, `cancelled()`. */
export interface Before {
  readonly succeeded: boolean;
  readonly failed: boolean;
}

const STATUS = /\b(?:success|failure|always|cancelled)\s*\(/;

/** The value of an expression without its `${{ }}`. */
export function evaluate(expression: string, contexts: Contexts, before?: Before): unknown {
  const functions = before === undefined ? [] : statusFunctions(before);
  const { tokens } = new Lexer(expression).lex();
  const parsed = new Parser(tokens, Object.keys(contexts), functions).parse();
  const pairs = Object.entries(contexts).map(([key, value]) => ({ key, value: asData(value) }));
  const known = new Map(functions.map((each) => [each.name, each]));
  const result = new Evaluator(parsed, new data.Dictionary(...pairs), known).evaluate();
  return JSON.parse(JSON.stringify(result, data.replacer));
}

/** A text with expressions in it. What is one expression as a whole keeps its type. */
export function fill(template: unknown, contexts: Contexts): unknown {
  if (typeof template !== "string") return template;
  const [, whole] = /^\$\{\{((?:(?!\}\})[^])*)\}\}$/.exec(template.trim()) ?? [];
  if (whole !== undefined) return evaluate(whole.trim(), contexts);
  return template.replaceAll(/\$\{\{(.*?)\}\}/gs, (_, expression: string) =>
    asText(evaluate(expression.trim(), contexts)),
  );
}

export function fillText(template: unknown, contexts: Contexts): string {
  return asText(fill(template, contexts));
}

/** All values of a map, as texts. */
export function fillAll(
  templates: Readonly<Record<string, unknown>>,
  contexts: Contexts,
): Record<string, string> {
  const entries = Object.entries(templates);
  return Object.fromEntries(entries.map(([key, value]) => [key, fillText(value, contexts)]));
}

/** Whether a job or a step runs. Without a status function it runs only where nothing before has failed. */
export function isMet(condition: string | undefined, contexts: Contexts, before: Before): boolean {
  const bare = (condition ?? "success()").trim().replace(/^\$\{\{(.*)\}\}$/s, "$1");
  const all = STATUS.test(bare) ? bare : `success() && (${bare})`;
  return Boolean(evaluate(all, contexts, before));
}

function statusFunctions({ succeeded, failed }: Before) {
  const answers = { success: succeeded, failure: failed, always: true, cancelled: false };
  return Object.entries(answers).map(([name, answer]) => ({
    name,
    minArgs: 0,
    maxArgs: 0,
    call: () => new data.BooleanData(answer),
  }));
}

function asData(value: unknown): data.ExpressionData {
  return JSON.parse(JSON.stringify(value ?? null), data.reviver);
}

function asText(value: unknown): string {
  if (value === null || value === undefined) return "";
  return typeof value === "string" ? value : JSON.stringify(value);
}
