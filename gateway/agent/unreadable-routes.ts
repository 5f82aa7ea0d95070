/**
 * Routes in the store that this release cannot read, as a newer one may write them: the agent goes on with
 * what it has of them, and says so.
 */
import type { Faults } from "./faults.ts";

const NAMED_DOMAINS = 10;

export class UnreadableRoutes {
  readonly #faults: Faults;
  readonly #domains = new Set<string>();
  /** Those that were met since all routes were last begun to be read. */
  readonly #met = new Set<string>();

  constructor(faults: Faults) {
    this.#faults = faults;
  }

  has(domain: string): boolean {
    return this.#domains.has(domain);
  }

  note(domain: string): void {
    this.#domains.add(domain);
    this.#met.add(domain);
    this.#tell();
  }

  /** All routes are about to be read. */
  beginReading(): void {
    this.#met.clear();
  }

  /** All were read: what was not met is not there any more. */
  endReading(): void {
    const gone = [...this.#domains].filter((domain) => !this.#met.has(domain));
    for (const domain of gone) this.#domains.delete(domain);
    if (gone.length > 0) this.#tell();
  }

  /** It could be read again. */
  forget(domain: string): void {
    if (this.#domains.delete(domain)) this.#tell();
  }

  #tell(): void {
    const named = [...this.#domains].slice(0, NAMED_DOMAINS).join(", ");
    if (named === "") this.#faults.clear("unreadable routes");
    else
      this.#faults.set("unreadable routes", `not written by this release, and left out: ${named}`);
  }
}
