/** The HTTPS host of MTA-STS policies (RFC 8461 section 3.3), for any number of domains. */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import { createSecureContext, type SecureContext } from "node:tls";
import type { CertificateAuthority } from "./certificates.ts";

export interface MtaStsHostOptions {
  readonly address: string;
  readonly authority: CertificateAuthority;
}

export interface MtaStsHost extends AsyncDisposable {
  readonly address: string;
  /** Policy texts by domain; any other domain is answered with 404. Change it at any time. */
  readonly policies: Map<string, string>;
}

/** Starts the host on port 443. It has a certificate for whatever `mta-sts.` name it is asked for. */
export async function startMtaStsHost(options: MtaStsHostOptions): Promise<MtaStsHost> {
  const { address, authority } = options;
  const policies = new Map<string, string>();
  const contexts = new Map<string, Promise<SecureContext>>();
  const contextFor = (name: string) => {
    const context = contexts.get(name) ?? authority.issue(name).then(createSecureContext);
    contexts.set(name, context);
    return context;
  };
  const server = createServer(
    {
      SNICallback: (name, done) => {
        contextFor(name).then(
          (context) => done(null, context),
          (error: unknown) => done(error instanceof Error ? error : new Error(String(error))),
        );
      },
    },
    (request, response) => answer(policies, request, response),
  );
  server.listen(443, address);
  await once(server, "listening");
  return {
    address,
    policies,
    [Symbol.asyncDispose]: async () => {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

function answer(
  policies: ReadonlyMap<string, string>,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  const domain = (request.headers.host ?? "").replace(/^mta-sts\./, "");
  const policy = request.url === "/.well-known/mta-sts.txt" ? policies.get(domain) : undefined;
  response.statusCode = policy === undefined ? 404 : 200;
  response.setHeader("content-type", "text/plain");
  response.end(policy ?? "No policy here.\n");
}
