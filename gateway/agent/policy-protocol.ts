/**
 * Postfix's policy delegation protocol: `name=value` lines, ended by an empty one; the answer is
 * `action=…` and an empty line. Source: Postfix, SMTPD_POLICY_README.
 */

/** What an RCPT request says. */
export interface PolicyRequest {
  /** Envelope sender; empty for the null sender. */
  readonly sender: string;
  readonly recipient: string;
  readonly clientAddress: string;
  /** The same for all recipients of a message, and of no other one. */
  readonly instance: string;
  /** What is asked: `policy_context` of the service in main.cf; empty: who may relay. */
  readonly context: string;
  /** SHA-256 fingerprint of the client's certificate: lower-case hex pairs with colons. */
  readonly fingerprint?: string;
}

/** More than any Postfix sends. */
const MAXIMUM_BYTES = 64 * 1024;

/** A request that is not of the protocol. */
export class PolicyProtocolError extends Error {
  override readonly name = "PolicyProtocolError";
}

/** Cuts a stream of bytes into requests. One for each connection. */
export class RequestReader {
  #rest = "";

  /** @throws PolicyProtocolError once a request grows beyond all bounds */
  read(chunk: string): string[] {
    const blocks = (this.#rest + chunk).split("\n\n");
    this.#rest = blocks.pop() ?? "";
    if (this.#rest.length > MAXIMUM_BYTES) throw new PolicyProtocolError("A request without end.");
    return blocks;
  }
}

/**
 * Looks for what is needed alone: Postfix sends some thirty attributes, and asks for every recipient.
 *
 * @throws PolicyProtocolError
 */
export function parseRequest(block: string): PolicyRequest {
  const lines = `\n${block}`;
  const value = (name: string): string => {
    const found = attributeOf(lines, name);
    if (found === undefined) throw new PolicyProtocolError(`A request without ${name}.`);
    return found;
  };
  if (value("request") !== "smtpd_access_policy" || value("protocol_state") !== "RCPT") {
    throw new PolicyProtocolError("Not a request at RCPT.");
  }
  const fingerprint = attributeOf(lines, "ccert_fingerprint")?.toLowerCase() ?? "";
  return {
    sender: value("sender"),
    recipient: value("recipient"),
    clientAddress: value("client_address"),
    instance: value("instance"),
    context: attributeOf(lines, "policy_context") ?? "",
    ...(fingerprint !== "" && { fingerprint }),
  };
}

/** @param lines each begins with a line end: `\nname=value` */
function attributeOf(lines: string, name: string): string | undefined {
  const start = `\n${name}=`;
  const at = lines.indexOf(start);
  if (at === -1) return undefined;
  const end = lines.indexOf("\n", at + start.length);
  return lines.slice(at + start.length, end === -1 ? undefined : end);
}

/** @param action of access(5): `DUNNO`, `451 4.3.5 …`. Stays one line whatever it holds. */
export function formatAnswer(action: string): string {
  return `action=${action.replaceAll(/[\r\n]+/g, " ")}\n\n`;
}
