/** Secrets of routes and of the fleet: SSM SecureString parameters, which only the gateway's role can read. */
import type { SSMClient } from "@aws-sdk/client-ssm";
import { ask, type ClientOptions, clientConfiguration } from "./client.ts";

export interface SecretStoreOptions extends ClientOptions {
  /** In front of every name, without a slash at the end: `/mxhero/example`. */
  readonly secretPrefix: string;
  /** The KMS key that encrypts what is written. @default the account's key for SSM */
  readonly keyId?: string;
}

/** The size up to which a parameter costs nothing (AWS Systems Manager, parameter tiers). */
const STANDARD_BYTES = 4096;

/** The name of the secret with the password for a domain's Relay Server. */
export function relaySecretName(domain: string): string {
  return `relay/${domain}`;
}

export class SecretStore {
  readonly #options: SecretStoreOptions;
  #client: SSMClient | undefined;

  constructor(options: SecretStoreOptions) {
    this.#options = options;
  }

  /** Writes a secret; resolves with its version, which grows with every write. */
  async put(name: string, value: string): Promise<number> {
    const { PutParameterCommand } = await import("@aws-sdk/client-ssm");
    const command = new PutParameterCommand({
      Name: this.#path(name),
      Value: value,
      Type: "SecureString",
      Overwrite: true,
      Tier: Buffer.byteLength(value) > STANDARD_BYTES ? "Advanced" : "Standard",
      ...(this.#options.keyId !== undefined && { KeyId: this.#options.keyId }),
    });
    const client = await this.#connect();
    const { Version } = await ask(`Writing the secret ${name}`, client.send(command));
    return Version ?? 1;
  }

  /**
   * `undefined`: there is none.
   *
   * @param version a route names one, so that a new password does not break the version that serves; the
   *   parameter store keeps the last 100. @default the latest
   */
  async read(name: string, version?: number): Promise<string | undefined> {
    const { GetParametersCommand } = await import("@aws-sdk/client-ssm");
    const selector = version === undefined ? "" : `:${version}`;
    const command = new GetParametersCommand({
      Names: [`${this.#path(name)}${selector}`],
      WithDecryption: true,
    });
    const client = await this.#connect();
    const { Parameters } = await ask(`Reading the secret ${name}`, client.send(command));
    return Parameters?.[0]?.Value;
  }

  /** Nothing happens where there is none. */
  async delete(name: string): Promise<void> {
    const { DeleteParametersCommand } = await import("@aws-sdk/client-ssm");
    const command = new DeleteParametersCommand({ Names: [this.#path(name)] });
    const client = await this.#connect();
    await ask(`Deleting the secret ${name}`, client.send(command));
  }

  close(): void {
    this.#client?.destroy();
  }

  #path(name: string): string {
    return `${this.#options.secretPrefix}/${name}`;
  }

  async #connect(): Promise<SSMClient> {
    const { SSMClient } = await import("@aws-sdk/client-ssm");
    this.#client ??= new SSMClient(clientConfiguration(this.#options));
    return this.#client;
  }
}
