/** The lab's certificate authority, for SMTP with TLS and for hosts of MTA-STS policies. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { generate } from "selfsigned";

export interface Certificate {
  /** PEM. */
  readonly key: string;
  readonly cert: string;
}

export interface CertificateAuthority {
  /** PEM file of the root certificate, for `NODE_EXTRA_CA_CERTS`. */
  readonly file: string;
  /** The root certificate, PEM. */
  readonly cert: string;
  /** A certificate for a host name. */
  issue(host: string): Promise<Certificate>;
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
    issue: async (host) => {
      const { private: key, cert } = await generate([{ name: "commonName", value: host }], {
        ...keyOptions,
        ca: { key: root.private, cert: root.cert },
      });
      return { key, cert };
    },
  };
}
