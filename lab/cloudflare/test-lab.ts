/** DNS and the emulator of Cloudflare's API for one test file, with a plain HTTP client. */

import { Resolver } from "node:dns/promises";
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDns } from "../dns.ts";
import { testNet } from "../test-net.ts";
import { type CloudflareOptions, startCloudflare } from "./index.ts";

/** What the API answered. */
export interface Answer {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly body: {
    readonly success: boolean;
    readonly result: unknown;
    readonly errors: readonly { readonly code: number; readonly message: string }[];
    readonly result_info?: object;
  };
}

export async function startTestLab(options: Omit<CloudflareOptions, "net" | "dns"> = {}) {
  const parts = new AsyncDisposableStack();
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "lab-"))).path;
  const dns = parts.use(await startDns({ net: testNet, directory }));
  const cloudflare = parts.use(await startCloudflare({ net: testNet, dns, ...options }));
  const operator = cloudflare.addToken({ name: "operator" });

  /** Asks the API. Without a token given: as the operator, who may do everything. */
  const ask = async (
    method: string,
    path: string,
    body?: unknown,
    authorization: string | undefined = `Bearer ${operator}`,
  ): Promise<Answer> => {
    const response = await fetch(cloudflare.url + path, {
      method,
      headers: authorization === "" ? {} : { authorization },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const { status, headers } = response;
    const answer: unknown = await response.json();
    return { status, retryAfter: headers.get("retry-after"), body: envelope(answer) };
  };
  return {
    dns,
    cloudflare,
    operator,
    ask,
    /** One of the zones' name servers, asked directly. */
    nameServer: (index: number) => resolver(dns.nameServers[index]?.address ?? ""),
    dispose: () => parts.disposeAsync(),
  };
}

export type TestLab = Awaited<ReturnType<typeof startTestLab>>;

function resolver(address: string): Resolver {
  const client = new Resolver({ timeout: 2000, tries: 2 });
  client.setServers([address]);
  return client;
}

function envelope(answer: unknown): Answer["body"] {
  if (isEnvelope(answer)) return answer;
  throw new Error(`not Cloudflare's envelope: ${JSON.stringify(answer)}`);
}

function isEnvelope(answer: unknown): answer is Answer["body"] {
  const fields = ["success", "result", "errors", "messages"];
  return typeof answer === "object" && answer !== null && fields.every((field) => field in answer);
}

/** The identifier in an answer's result. */
export function idOf(answer: Answer): string {
  const { result } = answer.body;
  if (typeof result === "object" && result !== null && "id" in result) return String(result.id);
  throw new Error(`no identifier in ${JSON.stringify(answer.body)}`);
}
