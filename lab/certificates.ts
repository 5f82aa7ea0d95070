/** The lab's certificate authority, for SMTP with TLS and for hosts of MTA-STS policies. */
import { X509Certificate } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generate } from "selfsigned";

export interface Certificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

export interface CertificateOptions {
  /** More names that it is valid for. */
  readonly otherNames?: readonly string[];
  /** It was valid until yesterday. @default false */
  readonly expired?: boolean;
}

export interface CertificateAuthority {
  /** PEM file of the root certificate, for `NODE_EXTRA_CA_CERTS`. */
  readonly file: string;
  /** The root certificate, PEM. */
  readonly cert: string;
  /** A certificate for a host name, for servers and clients. */
  issue(host: string, options?: CertificateOptions): Promise<Certificate>;
}

const keyOptions = { keyType: "ec", algorithm: "sha256" } as const;

/** Makes a new authority; its certificate is written to `ca.pem` in an existing folder. */
export async function createAuthority(directory: string): Promise<CertificateAuthority> {
  const root = await generate([{ name: "commonName", value: "Lab CA" }], {
    ...keyOptions,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, critical: true },
    ],
  });
  const file = join(directory, "ca.pem");
  await writeFile(file, root.cert);
  return {
    file,
    cert: root.cert,
    issue: async (host, options = {}) => {
      const { private: key, cert } = await generate([{ name: "commonName", value: host }], {
        ...keyOptions,
        ...certificateOf(host, options),
        ca: { key: root.private, cert: root.cert },
      });
      return { key, cert };
    },
  };
}

function daysAgo(days: number): Date {
  return new Date(Date.now() - days * 86_400_000);
}

function certificateOf(host: string, { otherNames = [], expired = false }: CertificateOptions) {
  return {
    extensions: [
      { name: "basicConstraints" as const, cA: false },
      { name: "keyUsage" as const, digitalSignature: true, critical: true },
      { name: "extKeyUsage" as const, serverAuth: true, clientAuth: true },
      {
        name: "subjectAltName" as const,
        altNames: [host, ...otherNames].map((value) => ({ type: 2 as const, value })),
      },
    ],
    ...(expired ? { notBeforeDate: daysAgo(30), notAfterDate: daysAgo(1) } : {}),
  };
}

/** SHA-256 of the certificate: lower-case hex pairs with colons, as in a sending identity. */
export function fingerprintOf({ cert }: Certificate): string {
  return new X509Certificate(cert).fingerprint256.toLowerCase();
}
