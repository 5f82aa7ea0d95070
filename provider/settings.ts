/**
 * The provider's configuration.
 *
 * An environment variable is preferred to the configured value: `destroy` and `refresh` are given the
 * configuration that the state holds, so that only the environment can bring a rotated token.
 */
import { isIP } from "node:net";
import { z } from "zod";
import { parseDomainName } from "../mail/domain-name.ts";
import { MailRuleError } from "../mail/errors.ts";
import type { RequestPace } from "./request-pace.ts";

/** What a resource is told of the world: where the APIs are, who asks, how long to wait. */
export interface Settings {
  /** The Cloudflare API token. Undefined: nothing can be read, and a preview says so. */
  readonly apiToken?: string;
  /** Further tokens, for domains in other Cloudflare accounts. Ask `tokenFor`, which knows the keys. */
  readonly apiTokens: ReadonlyMap<string, string>;
  /** The base URL of Cloudflare's API. Undefined: the official one. */
  readonly cloudflareBaseUrl?: string;
  /** Addresses of the recursive resolvers to ask. Undefined: those of the system. */
  readonly resolvers?: readonly string[];
  /** The longest time that one wait may take, in seconds. */
  readonly waitSeconds: number;
  /** The part of Cloudflare's rate limit that one process may use: above 0, at most 1. */
  readonly cloudflareShare: number;
  /** How fast each token may ask, where several stacks share a process. @default a stack counts by itself */
  readonly requestPaces?: RequestPaces;
  /** Slots of a gateway whose queue is given up: their instance is dead, and the mail in it may be lost. */
  readonly abandonedQueues: readonly string[];
  /** Slots of a gateway that may be taken out of DNS though no other slot is healthy. */
  readonly uncoveredSlots: readonly string[];
  /** Domains of which the administrator says that nothing goes out through the gateway any more; in A-labels. */
  readonly outboundStopped: readonly string[];
  /** Domains that a gateway gives up though their MX still name it. In A-labels. */
  readonly inboundGivenUp: readonly string[];
  /** Domains whose mail system takes mail from everyone, by the administrator's word. In A-labels. */
  readonly handBackConfirmed: readonly string[];
  /** Domains of which the administrator says that the gateway takes their mail, whatever it answers here. */
  readonly gatewayConfirmed: readonly string[];
}

/** By token. */
export type RequestPaces = Map<string, RequestPace>;

type Environment = Readonly<Record<string, string | undefined>>;

const NAMED_TOKEN = "CLOUDFLARE_API_TOKEN_";

/** Stack configuration arrives as strings, with lists, maps and numbers as JSON. */
function fromJson<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => {
    if (typeof value !== "string") return value;
    try {
      return JSON.parse(value);
    } catch {
      return value;
    }
  }, schema);
}

// What can't stand in an HTTP header would be quoted by the error of whoever puts it there.
const token = z
  .string()
  .min(1, "the token is empty")
  .regex(
    /^[!-~]*$/,
    "the token holds a blank, a line break or another character that no token has",
  );
const url = z.url({ protocol: /^https?$/, error: "not an http or https URL" });
const address = z.string().refine((value) => isIP(value) !== 0, "not an IP address");
const seconds = z.number().positive().max(86_400);
const share = z.number().positive().max(1);
const slotNames = z.array(z.string().regex(/^[a-z]$/, "not the letter of a slot"));
/** As people write them: in the letters of their language or as `xn--`. */
const domainNames = z.array(
  z.string().transform((text, context) => {
    try {
      return parseDomainName(text);
    } catch (error) {
      if (!(error instanceof MailRuleError)) throw error;
      context.addIssue({ code: "custom", message: error.problem });
      return z.NEVER;
    }
  }),
);
const credentials = z
  .record(z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/, "not a name of a credential"), token)
  .refine(
    (tokens) => new Set(Object.keys(tokens).map(credentialKey)).size === Object.keys(tokens).length,
    "two names share one environment variable: they differ only in case, or in - and _",
  );

/** The configuration as a program or a stack file gives it. */
export const configurationSchema = z.strictObject({
  apiToken: token.exactOptional(),
  apiTokens: fromJson(credentials).exactOptional(),
  cloudflareBaseUrl: url.exactOptional(),
  resolvers: fromJson(z.array(address).min(1)).exactOptional(),
  waitSeconds: fromJson(seconds).exactOptional(),
  cloudflareShare: fromJson(share).exactOptional(),
});

const commaList = z.string().transform((list) => list.split(",").map((item) => item.trim()));

/** The same settings as the environment gives them. What gives something up is said for one run, so only there. */
const environmentSchema = z.object({
  CLOUDFLARE_API_TOKEN: token.exactOptional(),
  CLOUDFLARE_BASE_URL: url.exactOptional(),
  MXHERO_RESOLVERS: commaList.pipe(z.array(address)).exactOptional(),
  MXHERO_WAIT_SECONDS: z.string().transform(Number).pipe(seconds).exactOptional(),
  MXHERO_CLOUDFLARE_SHARE: z.string().transform(Number).pipe(share).exactOptional(),
  MXHERO_ABANDONED_QUEUES: commaList.pipe(slotNames).exactOptional(),
  MXHERO_UNCOVERED_SLOTS: commaList.pipe(slotNames).exactOptional(),
  MXHERO_OUTBOUND_STOPPED: commaList.pipe(domainNames).exactOptional(),
  MXHERO_INBOUND_GIVEN_UP: commaList.pipe(domainNames).exactOptional(),
  MXHERO_HAND_BACK_CONFIRMED: commaList.pipe(domainNames).exactOptional(),
  MXHERO_GATEWAY_CONFIRMED: commaList.pipe(domainNames).exactOptional(),
});

/** The tokens of named credentials, by variable. */
const namedSchema = z.record(z.string(), token);

/** Thrown when the configuration or the environment holds a faulty value. Quotes no value. */
export class SettingsError extends Error {
  override readonly name = "SettingsError";
  readonly fix =
    "Correct it in the stack's configuration, in the provider's arguments or in the environment.";

  constructor(faults: readonly string[]) {
    super(`The configuration of the provider mxhero is faulty: ${faults.join("; ")}.`);
  }
}

/**
 * The settings from the provider's configuration and the environment. An empty variable is unset.
 *
 * @throws SettingsError
 */
export function readSettings(configured: unknown, env: Environment = process.env): Settings {
  const set = Object.entries(env).filter(([, value]) => value !== undefined && value !== "");
  const given = configurationSchema.safeParse(configured);
  const preferred = environmentSchema.safeParse(Object.fromEntries(set));
  const named = namedSchema.safeParse(
    Object.fromEntries(set.filter(([name]) => name.startsWith(NAMED_TOKEN))),
  );
  if (!given.success || !preferred.success || !named.success) {
    throw new SettingsError([given, preferred, named].flatMap(faultsOf));
  }
  const {
    CLOUDFLARE_API_TOKEN: apiToken = given.data.apiToken,
    CLOUDFLARE_BASE_URL: cloudflareBaseUrl = given.data.cloudflareBaseUrl,
    MXHERO_RESOLVERS: resolvers = given.data.resolvers,
    MXHERO_WAIT_SECONDS: waitSeconds = given.data.waitSeconds ?? 600,
    MXHERO_CLOUDFLARE_SHARE: cloudflareShare = given.data.cloudflareShare ?? 0.8,
    MXHERO_ABANDONED_QUEUES: abandonedQueues = [],
    MXHERO_UNCOVERED_SLOTS: uncoveredSlots = [],
    MXHERO_OUTBOUND_STOPPED: outboundStopped = [],
    MXHERO_INBOUND_GIVEN_UP: inboundGivenUp = [],
    MXHERO_HAND_BACK_CONFIRMED: handBackConfirmed = [],
    MXHERO_GATEWAY_CONFIRMED: gatewayConfirmed = [],
  } = preferred.data;
  return {
    ...(apiToken !== undefined && { apiToken }),
    ...(cloudflareBaseUrl !== undefined && { cloudflareBaseUrl }),
    ...(resolvers !== undefined && { resolvers }),
    apiTokens: namedTokens(given.data.apiTokens ?? {}, named.data),
    waitSeconds,
    cloudflareShare,
    abandonedQueues,
    uncoveredSlots,
    outboundStopped,
    inboundGivenUp,
    handBackConfirmed,
    gatewayConfirmed,
  };
}

/** The token to use: that of the named credential, or the provider's own. Undefined if there is none. */
export function tokenFor(settings: Settings, credential?: string): string | undefined {
  if (credential === undefined) return settings.apiToken;
  return settings.apiTokens.get(credentialKey(credential));
}

/** The environment variable that holds the token of a credential. */
export function tokenVariable(credential?: string): string {
  return credential === undefined
    ? "CLOUDFLARE_API_TOKEN"
    : `${NAMED_TOKEN}${credentialKey(credential)}`;
}

function namedTokens(
  configured: Readonly<Record<string, string>>,
  variables: Readonly<Record<string, string>>,
): Map<string, string> {
  const tokens = new Map<string, string>();
  for (const [name, value] of Object.entries(configured)) tokens.set(credentialKey(name), value);
  for (const [name, value] of Object.entries(variables)) {
    tokens.set(name.slice(NAMED_TOKEN.length), value);
  }
  return tokens;
}

function credentialKey(name: string): string {
  return name.toUpperCase().replaceAll("-", "_");
}

function faultsOf(parsed: z.ZodSafeParseResult<unknown>): readonly string[] {
  if (parsed.success) return [];
  return parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${z.core.toDotPath(path)}: ${message}`,
  );
}
