/** What went wrong in a run of the engine, in its own words and those of the provider. */
import { z } from "zod";

const fault = z.object({
  diagnosticEvent: z.object({
    severity: z.literal("error"),
    message: z.string(),
    urn: z.string().default(""),
  }),
});

/** What the engine says after the reason, and what tells nothing by itself. */
const FOLLOWING = /^(?:update|preview|destroy|refresh) (?:failed|canceled)$/;

export class EngineFaults {
  readonly #texts = new Set<string>();

  see(event: unknown): void {
    const parsed = fault.safeParse(event);
    if (!parsed.success) return;
    const text = parsed.data.diagnosticEvent.message.trim();
    if (!FOLLOWING.test(text)) this.#texts.add(text);
  }

  /** Each once. */
  get texts(): readonly string[] {
    return [...this.#texts];
  }
}
