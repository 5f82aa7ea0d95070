/** Who asks Cloudflare when a command does: it ends with its process, and says on stderr what it waits for. */
import type { Caller } from "../provider/cloudflare.ts";
import type { Settings } from "../provider/settings.ts";

export function commandCaller(settings: Settings): Caller {
  return {
    settings,
    signal: new AbortController().signal,
    progress: (line) => console.error(line),
  };
}
