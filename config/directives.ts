/** What a gateway does with a domain's mail, in words: the directives, whoever keeps the gateway's routes. */
import { rcptLookupOf, relayServerOf } from "./route-rules.ts";
import type { DomainConfig } from "./tenant.ts";

/** It has no secret in it. */
export interface Directives {
  /** The system that finally receives the mail. */
  readonly server: string;
  readonly mxLookup: boolean;
  /** `off`, `probe`, or `list of 12`. */
  readonly rcptLookup: string;
  /** `none`, or its host, port, TLS and the login's user. */
  readonly relayServer: string;
}

export function directivesOf(config: DomainConfig): Directives {
  const { server, mxLookup } = config;
  return {
    server,
    mxLookup,
    rcptLookup: rcptLookupWords(config),
    relayServer: relayServerWords(config),
  };
}

function rcptLookupWords(config: DomainConfig): string {
  const lookup = rcptLookupOf(config);
  return lookup.kind === "list" ? `list of ${lookup.recipients.length}` : lookup.kind;
}

function relayServerWords({ relayServer }: DomainConfig): string {
  if (relayServer === undefined) return "none";
  const { host, port, tls, login } = relayServerOf(relayServer);
  const words = `${host}, port ${port}, TLS ${tls}`;
  return login === undefined ? words : `${words}, login ${login.user}`;
}
