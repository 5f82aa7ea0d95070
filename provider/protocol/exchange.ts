/** One call of the engine: what it brought, what it may show, and what the resource is given for it. */
import type structPb from "google-protobuf/google/protobuf/struct_pb.js";
import type { Call } from "../resource.ts";
import type { Settings } from "../settings.ts";
import type { EngineLog, Level } from "./engine-log.ts";
import { type Decoded, decode, type Path, secretTexts, valueAt } from "./wire.ts";

/** Shorter secrets would take ordinary words and numbers out of messages. */
const SHORTEST_HIDDEN = 4;

export class Exchange {
  readonly #urn: string;
  readonly #signal: AbortSignal;
  readonly #settings: Settings | undefined;
  readonly #log: EngineLog;
  readonly #secrets = new Set<string>();

  constructor(urn: string, signal: AbortSignal, settings: Settings | undefined, log: EngineLog) {
    this.#urn = urn;
    this.#signal = signal;
    this.#settings = settings;
    this.#log = log;
    this.#hide([settings?.apiToken ?? "", ...(settings?.apiTokens.values() ?? [])]);
  }

  /**
   * Decodes a value of the request. Its secrets are kept out of all that is shown from now on.
   *
   * @param secrets what is a secret even where the program did not say so
   */
  decode(struct: structPb.Struct | undefined, secrets: readonly Path[] = []): Decoded {
    const found = decode(struct);
    const own = secrets.filter((path) => valueAt(found.value, path) !== undefined);
    const decoded = { ...found, secrets: [...found.secrets, ...own] };
    this.#hide(secretTexts(decoded));
    return decoded;
  }

  /** @throws Error before the provider was configured */
  call(preview: boolean): Call {
    const settings = this.#settings;
    if (settings === undefined) throw new Error("The provider is not configured yet.");
    return {
      urn: this.#urn,
      preview,
      signal: this.#signal,
      settings,
      info: (message) => this.show("info", message),
      warn: (message) => this.show("warn", message),
      progress: (message) => this.show("progress", message),
    };
  }

  show(level: Level, message: string): void {
    this.#log.write(level, this.redact(message), this.#urn);
  }

  redact(text: string): string {
    let shown = text;
    for (const secret of this.#secrets) shown = shown.replaceAll(secret, "[secret]");
    return shown;
  }

  #hide(texts: Iterable<string>): void {
    for (const text of texts) if (text.length >= SHORTEST_HIDDEN) this.#secrets.add(text);
  }
}
