/** One stream of a log group of CloudWatch, which this host alone writes. */
import {
  CloudWatchLogsClient,
  CreateLogStreamCommand,
  PutLogEventsCommand,
  ResourceAlreadyExistsException,
} from "@aws-sdk/client-cloudwatch-logs";
import { ask, type ClientOptions, clientConfiguration } from "./client.ts";

export interface LogStreamOptions extends ClientOptions {
  /** The group, which exists. */
  readonly group: string;
  /** The stream, which is made with the first line. */
  readonly stream: string;
}

export class LogStream implements Disposable {
  readonly #client: CloudWatchLogsClient;
  readonly #place: { readonly logGroupName: string; readonly logStreamName: string };
  #isThere = false;

  constructor({ group, stream, ...options }: LogStreamOptions) {
    this.#client = new CloudWatchLogsClient(clientConfiguration(options));
    this.#place = { logGroupName: group, logStreamName: stream };
  }

  [Symbol.dispose](): void {
    this.#client.destroy();
  }

  /** @throws {StoreError} if CloudWatch does not take it */
  async put(at: Date, message: string): Promise<void> {
    await ask(`Logging to ${this.#place.logGroupName}`, this.#put(at, message));
  }

  async #put(at: Date, message: string): Promise<void> {
    if (!this.#isThere) await this.#create();
    this.#isThere = true;
    const logEvents = [{ timestamp: at.getTime(), message }];
    await this.#client.send(new PutLogEventsCommand({ ...this.#place, logEvents }));
  }

  async #create(): Promise<void> {
    try {
      await this.#client.send(new CreateLogStreamCommand(this.#place));
    } catch (error) {
      if (!(error instanceof ResourceAlreadyExistsException)) throw error;
    }
  }
}
