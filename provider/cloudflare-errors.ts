/** What Cloudflare's API means by what it answers, or does not answer. */
import { z } from "zod";
import { MailRuleError } from "../mail/errors.ts";
import { zoneGone } from "./cloudflare-refusals.ts";
import { cloudflareSdk } from "./load-cloudflare-sdk.ts";
import { tokenVariable } from "./settings.ts";

const RUN_AGAIN = "Run again: it goes on from what stands in the zone then.";

/** The write may or may not have been done, or the zone has changed since it was read. Reading again tells. */
export class WriteUncertain extends Error {
  override readonly name = "WriteUncertain";
  readonly fix = RUN_AGAIN;
}

/** The write was not done; it may be repeated after so many seconds. */
export class WriteRefusedForNow extends Error {
  override readonly name = "WriteRefusedForNow";
  readonly fix = RUN_AGAIN;
  readonly retryAfterSeconds: number;

  constructor(retryAfterSeconds: number, options?: ErrorOptions) {
    super("Cloudflare's rate limit is reached.", options);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/**
 * What only a zone that was changed since it was read answers: a record is gone (81044), or another
 * stands in the way (81053 to 81058).
 *
 * @see https://developers.cloudflare.com/dns/manage-dns-records/troubleshooting/records-with-same-name/
 */
const CHANGED_MEANWHILE = new Set([81_044, 81_053, 81_054, 81_055, 81_056, 81_057, 81_058]);

/** Older answers wrap the fault of a record in 1004, and say in a chain what it is. */
const apiFault = z.object({ code: z.number(), message: z.string() });
const apiFaults = z
  .array(apiFault.extend({ error_chain: z.array(apiFault).default([]) }))
  .transform((faults) => faults.flatMap(({ error_chain, ...fault }) => [fault, ...error_chain]))
  .catch([]);

/** What a token that has not the form of one is answered with. */
const INVALID_HEADERS = 6003;

/**
 * What a write that failed means: whether it was done, and whether it may be repeated.
 *
 * @param what was written, in words. `credential`: by which of the configuration. `blockedSeconds`: until the rate
 * limit lets the next request through
 */
export async function explainWrite(
  error: unknown,
  what: string,
  { credential, blockedSeconds }: { credential: string | undefined; blockedSeconds: number },
): Promise<Error> {
  const { APIError } = await cloudflareSdk();
  const status = error instanceof APIError ? error.status : undefined;
  if (status === 429) {
    return new WriteRefusedForNow(blockedSeconds, { cause: error });
  }
  const said = await describe(error);
  if (status === undefined || status >= 500) {
    return new WriteUncertain(`Cloudflare, ${what}: the write was not confirmed (${said}).`, {
      cause: error,
    });
  }
  const faults = error instanceof APIError ? apiFaults.parse(error.errors) : [];
  if (faults.some(({ code }) => CHANGED_MEANWHILE.has(code))) {
    return new WriteUncertain(`Cloudflare, ${what}: changed by someone else meanwhile (${said}).`, {
      cause: error,
    });
  }
  return explain(error, what, credential);
}

/** What an answer of the API means for a person. @param credential by which the token is configured */
export async function explain(
  error: unknown,
  what: string,
  credential: string | undefined,
): Promise<Error> {
  const { APIError } = await cloudflareSdk();
  const status = error instanceof APIError ? error.status : undefined;
  const faults = error instanceof APIError ? apiFaults.parse(error.errors) : [];
  const malformed = faults.some(({ code }) => code === INVALID_HEADERS);
  const refused = status === 401 || status === 403 || malformed;
  if (status === 404) return zoneGone(what, await describe(error), error);
  return new MailRuleError({
    code: refused ? "token-refused" : "cloudflare-error",
    where: `Cloudflare, ${what}`,
    problem: `The API answered: ${await describe(error)}.`,
    fix: refused
      ? `Give ${tokenVariable(credential)} a valid token with Zone Read and DNS Write on that zone: no quotes or blanks around it, and not the Global API Key.`
      : "Nothing more was changed; correct what the API names, or run again when it is well.",
    cause: error,
  });
}

export async function isRateLimited(error: unknown): Promise<boolean> {
  const { APIError } = await cloudflareSdk();
  return error instanceof APIError && error.status === 429;
}

async function describe(error: unknown): Promise<string> {
  const { APIError } = await cloudflareSdk();
  if (!(error instanceof APIError)) return error instanceof Error ? error.message : String(error);
  const faults = apiFaults.parse(error.errors).map(({ code, message }) => `${code} ${message}`);
  if (faults.length > 0) return faults.join("; ");
  return error.status === undefined ? `nothing (${error.message})` : `HTTP ${error.status}`;
}
