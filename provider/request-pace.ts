/**
 * How fast one token may ask Cloudflare's API, and how long the next read has to wait for it.
 *
 * Counts what this process asks, and hears what Cloudflare says in its answers, which knows of other runs,
 * other programs and the dashboard as well. Only decides: the client waits.
 *
 * @see https://developers.cloudflare.com/fundamentals/api/reference/limits/
 */

/** So many requests in any span of so many seconds. */
export interface RequestLimit {
  readonly requests: number;
  readonly seconds: number;
}

/** A user's or account's token. Cloudflare's answers correct it where the limit was raised. */
const TOKEN_LIMIT: RequestLimit = { requests: 1200, seconds: 300 };

/** One address, whatever its tokens. */
const ADDRESS_LIMIT: RequestLimit = { requests: 200, seconds: 1 };

/**
 * The part of the limit that reads leave to writes. A write never waits for the pace: it follows the read
 * that it was decided from at once, since what others change between the two cannot be seen.
 */
const FOR_WRITES = 0.1;

/** How long to wait after a 429 that does not say it, in seconds. */
const DEFAULT_RETRY_SECONDS = 5;

/** What Cloudflare last said: so many requests are left until then, of which writes may need so many. */
interface Remaining {
  readonly requests: number;
  readonly until: number;
  readonly forWrites: number;
}

export class RequestPace {
  #share: number;
  readonly #now: () => number;
  #limits: readonly RequestLimit[] = [TOKEN_LIMIT, ADDRESS_LIMIT];
  /** When requests were sent, in milliseconds, as far back as a limit reaches. */
  #sent: number[] = [];
  #remaining: readonly Remaining[] = [];
  #blockedUntil = 0;

  /**
   * @param share the part of each limit that this process may use: above 0, at most 1
   * @param now the time in milliseconds
   */
  constructor(share: number, now: () => number = Date.now) {
    this.#share = share;
    this.#now = now;
  }

  /** From now on at most this part of each limit is used. */
  limitShare(share: number): void {
    this.#share = Math.min(this.#share, share);
  }

  /** Notes that a request is sent now. */
  count(): void {
    const longest = Math.max(...this.#limits.map(({ seconds }) => seconds));
    const kept = this.#sent.findIndex((time) => time > this.#now() - longest * 1000);
    this.#sent = [...(kept < 0 ? [] : this.#sent.slice(kept)), this.#now()];
    this.#remaining = this.#remaining.map((left) => ({ ...left, requests: left.requests - 1 }));
  }

  /** Takes from an answer what it says of the limits. */
  learn({ status, headers }: Pick<Response, "status" | "headers">): void {
    const now = this.#now();
    if (status === 429) this.#blockedUntil = now + retryAfterSeconds(headers) * 1000;
    const policies = readItems(headers.get("ratelimit-policy")).flatMap(({ name, values }) => {
      const { q: requests = 0, w: seconds = 0 } = values;
      return requests > 0 && seconds > 0 ? { name, requests, seconds } : [];
    });
    if (policies.length > 0) this.#limits = [...policies, ADDRESS_LIMIT];
    const left = readItems(headers.get("ratelimit")).flatMap(({ name, values: { r, t } }) => {
      if (r === undefined || t === undefined) return [];
      const { requests } = policies.find((policy) => policy.name === name) ?? TOKEN_LIMIT;
      return { requests: r, until: now + t * 1000, forWrites: requests * FOR_WRITES };
    });
    if (left.length > 0) this.#remaining = left;
  }

  /** How long Cloudflare answers nothing but 429, in milliseconds; 0: it does answer. */
  get blockedFor(): number {
    return Math.max(0, this.#blockedUntil - this.#now());
  }

  /** How long the next read has to wait, in milliseconds; 0: it may be sent now. */
  get readWait(): number {
    const own = this.#limits.map((limit) => this.#ownWait(limit));
    const said = this.#remaining.map(({ requests, until, forWrites }) =>
      requests > forWrites ? 0 : until - this.#now(),
    );
    return Math.max(0, this.blockedFor, ...own, ...said);
  }

  /** Until the share is not used up any more: the oldest request that fills it leaves the span. */
  #ownWait({ requests, seconds }: RequestLimit): number {
    const allowed = Math.max(1, Math.floor(requests * this.#share));
    const oldest = this.#sent.at(-allowed);
    return oldest === undefined ? 0 : oldest + seconds * 1000 - this.#now();
  }
}

function retryAfterSeconds(headers: Headers): number {
  const seconds = Number(headers.get("retry-after"));
  return Number.isFinite(seconds) && seconds > 0 ? seconds : DEFAULT_RETRY_SECONDS;
}

interface Item {
  readonly name: string;
  readonly values: Readonly<Record<string, number>>;
}

/** The items of a list such as `"default";r=50;t=30`, each with its numbers (RFC 9651). */
function readItems(header: string | null): Item[] {
  return (header ?? "").split(",").map((item) => {
    const [name = "", ...parameters] = item.split(";").map((part) => part.trim());
    const numbers = parameters.flatMap((parameter): [string, number][] => {
      const [key = "", value = ""] = parameter.split("=", 2);
      return /^\d+$/.test(value) ? [[key, Number(value)]] : [];
    });
    return { name, values: Object.fromEntries(numbers) };
  });
}
