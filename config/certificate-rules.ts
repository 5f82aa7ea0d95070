/** What must hold of the gateway's certificate and private key before a slot is given them. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import type { MailRuleFault } from "../mail/errors.ts";

export interface CertificateRequirement {
  /** PEM: the server's own certificate first, then those between it and the root. */
  readonly certificate: string | undefined;
  /** PEM. It is never shown. */
  readonly privateKey: string | undefined;
  /** The host names that the certificate must be valid for. */
  readonly names: readonly string[];
  readonly now: Date;
}

/** The largest value of an advanced parameter (docs.aws.amazon.com: Managing parameter tiers). */
const PARAMETER_BYTES = 8_192;

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The faults of the certificate and of the key, each by itself and both together. */
export function certificateFaults(requirement: CertificateRequirement): MailRuleFault[] {
  const { certificate, privateKey, names, now } = requirement;
  const chain = certificate === undefined ? undefined : readChain(certificate);
  const key = privateKey === undefined ? undefined : readKey(privateKey);
  const [own] = chain ?? [];
  return [
    ...(certificate === undefined ? [] : sizeFaults(certificate)),
    ...(chain === undefined && certificate !== undefined ? [unreadableCertificate()] : []),
    ...(key === undefined && privateKey !== undefined ? [unreadableKey()] : []),
    ...(chain ?? []).flatMap((each) => timeFaults(each, now)),
    ...(own === undefined ? [] : nameFaults(own, names)),
    ...(own === undefined || key === undefined ? [] : matchFaults(own, key)),
  ];
}

/** What is known of the server's own certificate. */
export interface CertificateFacts {
  /** SHA-256: lower-case hex pairs with colons. */
  readonly fingerprint: string;
  /** When the first of the chain ends: ISO 8601, UTC. */
  readonly expires: string;
}

/** @throws Error if it is no certificate */
export function certificateFacts(certificate: string): CertificateFacts {
  const chain = readChain(certificate) ?? [];
  const ends = chain.map(({ validToDate }) => validToDate.toISOString()).toSorted();
  const { fingerprint256 } = new X509Certificate(certificate);
  return { fingerprint: fingerprint256.toLowerCase(), expires: ends[0] ?? "" };
}

function readChain(text: string): X509Certificate[] | undefined {
  const blocks = text.match(PEM_CERTIFICATE) ?? [];
  try {
    return blocks.length === 0 ? undefined : blocks.map((block) => new X509Certificate(block));
  } catch {
    return undefined;
  }
}

function readKey(text: string): KeyObject | undefined {
  try {
    return createPrivateKey(text);
  } catch {
    return undefined;
  }
}

function sizeFaults(certificate: string): MailRuleFault[] {
  const bytes = Buffer.byteLength(certificate);
  if (bytes <= PARAMETER_BYTES) return [];
  return [
    {
      code: "certificate-too-large",
      where: "certificate",
      problem: `With its chain it has ${bytes} bytes, and a secret may have ${PARAMETER_BYTES}.`,
      fix: "Leave out the root and all that the chain does not need, or take one with an elliptic-curve key.",
    },
  ];
}

function unreadableCertificate(): MailRuleFault {
  return {
    code: "certificate-unreadable",
    where: "certificate",
    problem: "It is no certificate in PEM.",
    fix: "Give the text with -----BEGIN CERTIFICATE-----, the server's own certificate first.",
  };
}

function unreadableKey(): MailRuleFault {
  return {
    code: "private-key-unreadable",
    where: "privateKey",
    problem: "It is no private key in PEM without a passphrase.",
    fix: "Give the text with -----BEGIN PRIVATE KEY-----, decrypted; it is stored as a secret.",
  };
}

function timeFaults({ subject, validFromDate, validToDate }: X509Certificate, now: Date) {
  const who = `The certificate of ${subject.replaceAll("\n", ", ")}`;
  const faults: MailRuleFault[] = [];
  if (validToDate <= now) {
    faults.push({
      code: "certificate-expired",
      where: "certificate",
      value: validToDate.toISOString(),
      problem: `${who} expired on ${validToDate.toISOString()}.`,
      fix: "Give a certificate that is valid.",
    });
  }
  if (validFromDate > now) {
    faults.push({
      code: "certificate-not-yet-valid",
      where: "certificate",
      value: validFromDate.toISOString(),
      problem: `${who} is valid only from ${validFromDate.toISOString()}.`,
      fix: "Give a certificate that is valid now, or set this machine's clock.",
    });
  }
  return faults;
}

/** By the rules of RFC 6125 (X509_check_host of OpenSSL): a wildcard stands for one label. */
function nameFaults(own: X509Certificate, names: readonly string[]): MailRuleFault[] {
  const missing = names.filter((name) => own.checkHost(name) === undefined);
  if (missing.length === 0) return [];
  return [
    {
      code: "certificate-without-name",
      where: "certificate",
      value: missing.join(", "),
      problem: `It is not valid for ${missing.join(", ")}, but for ${own.subjectAltName ?? own.subject}.`,
      fix: `Give a certificate for ${names.join(", ")}.`,
    },
  ];
}

function matchFaults(own: X509Certificate, key: KeyObject): MailRuleFault[] {
  if (own.checkPrivateKey(key)) return [];
  return [
    {
      code: "private-key-not-matching",
      where: "privateKey",
      problem: "It is not the key of the certificate.",
      fix: "Give the key that the certificate was issued for; the server's own certificate stands first.",
    },
  ];
}
