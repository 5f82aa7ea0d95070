/** AWS's API in the lab: the server of moto, an emulator that was not written here. */
import { join } from "node:path";
import { pythonFolder } from "../../tools/python-programs.mjs";
import { Program } from "../program.ts";

/** The region that the lab's fleets are in. */
export const labRegion = "eu-central-1";

/** Moto accepts any. */
export const labCredentials = { accessKeyId: "lab", secretAccessKey: "lab" };

/** The machine images that the account sees: Debian's. */
const images = join(import.meta.dirname, "images.json");

const server = join(import.meta.dirname, "moto_server.py");

/** Python loads all of moto before it listens; with every core busy that takes its time. */
const startSeconds = 60;

export interface MotoOptions {
  /** Where it listens, for example `127.3.5.1`. */
  readonly address: string;
  /** @default 5000 */
  readonly port?: number;
  /** An existing folder that takes the log. */
  readonly directory: string;
  /** Moto's own switches, for example `MOTO_AMIS_PATH`. @default Debian's images */
  readonly env?: Readonly<Record<string, string>>;
}

export interface Moto extends AsyncDisposable {
  readonly url: string;
  /**
   * What the AWS SDKs read: `AWS_ENDPOINT_URL`, `AWS_REGION` and credentials. Moto accepts any credentials,
   * and looks at no policy.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Every call is left without an answer until `resume`. */
  pause(): Promise<void>;
  resume(): void;
}

/** Starts an empty AWS account. @throws {LabError} if it is not installed, or the address is in use */
export async function startMoto(options: MotoOptions): Promise<Moto> {
  const { address, port = 5000, directory, env = {} } = options;
  const python = join(pythonFolder("moto"), "bin", "python");
  const command = [python, server, "-H", address, "-p", `${port}`];
  await using parts = new AsyncDisposableStack();
  const program = parts.use(
    new Program("moto", command, join(directory, `moto-${address}.log`), {
      MOTO_AMIS_PATH: images,
      ...env,
    }),
  );
  const url = `http://${address}:${port}`;
  await program.ready(() => answers(url), startSeconds);
  const owned = parts.move();
  return {
    url,
    env: {
      AWS_ENDPOINT_URL: url,
      AWS_REGION: labRegion,
      AWS_ACCESS_KEY_ID: labCredentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: labCredentials.secretAccessKey,
      // Without credentials the SDK would ask there, which is outside of the lab.
      AWS_EC2_METADATA_DISABLED: "true",
    },
    pause: () => program.pause(),
    resume: () => program.resume(),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/moto-api/data.json`)).ok;
  } catch {
    return false;
  }
}
