/** What is wrong on this host at present, in words, and since when. */

export interface Fault {
  readonly text: string;
  /** ISO 8601, UTC. */
  readonly since: string;
}

/** One fault a topic: a topic that is fine again has none. */
export class Faults {
  readonly #faults = new Map<string, Fault>();

  /** A fault of the same topic keeps its beginning. Each new text is logged once. */
  set(topic: string, text: string, now = new Date()): void {
    const former = this.#faults.get(topic);
    if (former?.text !== text) console.error(`${topic}: ${text}`);
    this.#faults.set(topic, { text, since: former?.since ?? now.toISOString() });
  }

  clear(topic: string): void {
    if (this.#faults.delete(topic)) console.error(`${topic}: all well again`);
  }

  /** Does something, and takes what it throws for a fault of the topic. */
  async around(topic: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
      this.clear(topic);
    } catch (error) {
      this.set(topic, errorText(error));
    }
  }

  list(): string[] {
    return [...this.#faults].map(
      ([topic, { text, since }]) => `${topic}: ${text} (since ${since})`,
    );
  }

  since(topic: string): string | undefined {
    return this.#faults.get(topic)?.since;
  }
}

/** An error with its causes, in one line. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.message === "" ? error.name : error.message;
  return error.cause === undefined ? own : `${own}: ${errorText(error.cause)}`;
}
