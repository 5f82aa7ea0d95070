/** Secrets of routes and of the fleet: SSM SecureString parameters, which only the gateway's role can read. */
import type { SSMClient } from "@aws-sdk/client-ssm";
import { ask, type ClientOptions, clientConfiguration } from "./client.ts";

export interface SecretStoreOptions extends ClientOptions {
  /** In front of every name, without a slash at the end: `/mxhero/example`. */
  readonly secretPrefix: string;
  /** The KMS key that encrypts what is written. @default the account's key for SSM */
  readonly keyId?: string;
}

/**
 * The name of the secret with a password for a domain's Relay Server. Every password has a name of its own,
 * so that a new one that does not work cannot break the version that serves.
 */
export function relaySecretName(domain: string, version: number): string {
  return `${relayFolder(domain)}/${version}`;
}

export function relayFolder(domain: string): string {
  return `relay/${domain}`;
}

function expiration(expires: string): string {
  const Attributes = { Timestamp: expires };
  return JSON.stringify([{ Type: "Expiration", Version: "1.0", Attributes }]);
}

/** When SSM deletes a secret by itself, ISO 8601; `undefined`: never. */
export interface SecretEnd {
  readonly name: string;
  readonly expires: string | undefined;
}

/** The timestamp of an expiration policy, however its JSON is written. */
function expirationIn(policies: readonly string[]): string | undefined {
  const policy = policies.find((text) => text.includes("Expiration"));
  return policy && /Timestamp\W+([\d-]+T[\d:.]+Z)/.exec(policy)?.[1];
}

export class SecretStore {
  readonly #options: SecretStoreOptions;
  #client: SSMClient | undefined;

  constructor(options: SecretStoreOptions) {
    this.#options = options;
  }

  /**
   * @param expires when SSM itself deletes it, in ISO 8601. @default never. The policy makes it an advanced
   *   parameter (AWS Systems Manager, "Assigning parameter policies")
   */
  async put(name: string, value: string, expires?: string): Promise<void> {
    const { PutParameterCommand } = await import("@aws-sdk/client-ssm");
    const command = new PutParameterCommand({
      Name: this.#path(name),
      Value: value,
      Type: "SecureString",
      Overwrite: true,
      // Standard is refused over an advanced parameter, and where an account has its 10,000 standard ones
      // (AWS Systems Manager, "Managing parameter tiers"). This takes it as long as it will do.
      Tier: "Intelligent-Tiering",
      ...(expires !== undefined && { Policies: expiration(expires) }),
      ...(this.#options.keyId !== undefined && { KeyId: this.#options.keyId }),
    });
    const client = await this.#connect();
    await ask(`Writing the secret ${name}`, client.send(command));
  }

  /** `undefined`: there is none. */
  async read(name: string): Promise<string | undefined> {
    const { GetParametersCommand } = await import("@aws-sdk/client-ssm");
    const command = new GetParametersCommand({ Names: [this.#path(name)], WithDecryption: true });
    const client = await this.#connect();
    const { Parameters } = await ask(`Reading the secret ${name}`, client.send(command));
    return Parameters?.[0]?.Value;
  }

  /** The names of those below a folder, in no order: `relay/contoso.com`. */
  async list(folder: string): Promise<string[]> {
    const { paginateGetParametersByPath } = await import("@aws-sdk/client-ssm");
    const client = await this.#connect();
    const pages = paginateGetParametersByPath({ client }, { Path: this.#path(folder) });
    const listing = async () => {
      const names: string[] = [];
      for await (const { Parameters = [] } of pages) {
        names.push(...Parameters.flatMap(({ Name }) => Name ?? []));
      }
      return names.map((name) => name.slice(this.#path("").length));
    };
    return ask(`Listing the secrets of ${folder}`, listing());
  }

  /** The whole names of those below a folder, and when each expires. */
  async describe(folder: string): Promise<readonly SecretEnd[]> {
    const { paginateDescribeParameters } = await import("@aws-sdk/client-ssm");
    const client = await this.#connect();
    const Values = [`${this.#path(folder)}/`];
    const ParameterFilters = [{ Key: "Name", Option: "BeginsWith", Values }];
    const pages = paginateDescribeParameters({ client }, { ParameterFilters });
    const listing = async () => {
      const found: SecretEnd[] = [];
      for await (const { Parameters = [] } of pages) {
        for (const { Name = "", Policies = [] } of Parameters) {
          const texts = Policies.map(({ PolicyText = "" }) => PolicyText);
          found.push({ name: Name, expires: expirationIn(texts) });
        }
      }
      return found;
    };
    return ask(`Listing the secrets of ${folder}`, listing());
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
