/** What of the engine's events is worth a line of the display: what the provider waits for. */
import { z } from "zod";
import { visible } from "../report/visible-text.ts";

const diagnostic = z.object({
  diagnosticEvent: z.object({
    severity: z.enum(["info", "info#err"]),
    ephemeral: z.literal(true),
    message: z.string(),
  }),
});

export function progressLine(event: unknown): string | undefined {
  const parsed = diagnostic.safeParse(event);
  return parsed.success ? visible(parsed.data.diagnosticEvent.message.trim()) : undefined;
}
