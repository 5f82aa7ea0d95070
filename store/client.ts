/** How AWS's API is asked: with bounds, and with errors that say what to do. */
import { StoreError, type StoreFailure } from "./errors.ts";

export interface ClientOptions {
  /** @default `AWS_REGION`, or what the AWS profile says */
  readonly region?: string;
  /** @default `AWS_ENDPOINT_URL`, or the region's own */
  readonly endpoint?: string;
}

/** A connection that hangs must not hold up whoever asks: the SDK alone waits without end. */
const CONNECT_MILLISECONDS = 3_000;
const ANSWER_MILLISECONDS = 10_000;

export function clientConfiguration({ region, endpoint }: ClientOptions) {
  return {
    ...(region !== undefined && { region }),
    ...(endpoint !== undefined && { endpoint }),
    requestHandler: {
      connectionTimeout: CONNECT_MILLISECONDS,
      requestTimeout: ANSWER_MILLISECONDS,
      throwOnRequestTimeout: true,
    },
  };
}

/** Runs a call of the AWS SDK. @throws {StoreError} instead of the SDK's errors */
export async function ask<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw asStoreError(what, cause);
  }
}

function asStoreError(what: string, cause: unknown): StoreError {
  const { name, message } = cause instanceof Error ? cause : { name: "", message: String(cause) };
  const failure = failureOf(name, message, cause);
  const text = [name === "Error" ? "" : name, message].filter((part) => part !== "").join(": ");
  return new StoreError(`${what}: ${text}`, failure, { cause });
}

const CREDENTIALS = new Set([
  "CredentialsProviderError",
  "TokenProviderError",
  "ExpiredTokenException",
  "InvalidSignatureException",
  "UnrecognizedClientException",
]);
const DENIED = new Set(["AccessDeniedException", "AccessDenied"]);

function failureOf(name: string, message: string, cause: unknown): StoreFailure {
  if (CREDENTIALS.has(name) || message === "Region is missing") return "credentials";
  if (DENIED.has(name)) return "denied";
  if (name === "ResourceNotFoundException") return "missing";
  // What never reached AWS, or came back as its own failure, may pass.
  const fault = isService(cause) ? cause.$fault : "server";
  return fault === "server" ? "unavailable" : "other";
}

function isService(cause: unknown): cause is { readonly $fault: string } {
  return typeof cause === "object" && cause !== null && "$fault" in cause;
}
