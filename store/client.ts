/** How AWS's API is asked: with bounds, and with errors that say what to do. */
import { StoreCredentialsError, StoreError } from "./errors.ts";

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

/** Runs a call of the AWS SDK. @throws {StoreError} instead of the SDK's errors, but for those of the names given */
export async function ask<T>(what: string, call: Promise<T>): Promise<T> {
  try {
    return await call;
  } catch (cause) {
    throw asStoreError(what, cause);
  }
}

const CREDENTIALS = new Set(["CredentialsProviderError", "TokenProviderError"]);

function asStoreError(what: string, cause: unknown): StoreError {
  const { name, message } = cause instanceof Error ? cause : { name: "", message: String(cause) };
  if (CREDENTIALS.has(name) || message === "Region is missing") {
    return new StoreCredentialsError(`${what}: ${message}`, { cause });
  }
  return new StoreError(`${what}: ${[name, message].filter((part) => part !== "").join(": ")}`, {
    cause,
  });
}
