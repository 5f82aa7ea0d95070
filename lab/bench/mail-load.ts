/**
 * A load of mail through an MTA, by Postfix's own load generator and sink: a host of the lab sends, and the
 * same host is the Server that the mail arrives at.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { type Host, type HostOptions, startHost } from "../hosts/host.ts";

/** The load that gateway hosts are measured with: 10 KB messages over 20 sessions. */
const SESSIONS = 20;
const MESSAGE_BYTES = 10_240;

/** How long one load may take until its last message has arrived, in milliseconds. */
const PATIENCE = 180_000;

const sinkLog = "/tmp/smtp-sink";

export interface LoadTarget {
  /** The MTA's address. */
  readonly address: string;
  readonly sender: string;
  readonly recipient: string;
}

/** The host that sends and receives. */
export class MailLoad implements AsyncDisposable {
  readonly #host: Host;

  private constructor(host: Host) {
    this.#host = host;
  }

  /** Where the MTA delivers to. */
  get address(): string {
    return this.#host.addresses[0]?.private ?? "";
  }

  static async start(options: HostOptions): Promise<MailLoad> {
    const host = await startHost(options);
    const load = new MailLoad(host);
    const sink = `smtp-sink -c -u nobody ${load.address}:25 1000 >${sinkLog} 2>&1 &`;
    await host.run(["sh", "-c", sink]);
    return load;
  }

  /** Sends so many messages, waits until the last one has arrived, and gives messages per second. */
  async measure({ address, sender, recipient }: LoadTarget, messages: number): Promise<number> {
    const before = await this.#arrived();
    const start = performance.now();
    // One connection for each session: the gateway limits how many a client may open in a minute.
    const load = ["-d", "-s", `${SESSIONS}`, "-l", `${MESSAGE_BYTES}`, "-m", `${messages}`];
    const envelope = ["-f", sender, "-t", recipient];
    await this.#host.run(["smtp-source", ...load, ...envelope, `${address}:25`], { timeout: 180 });
    while ((await this.#arrived()) < before + messages) {
      if (performance.now() - start > PATIENCE) {
        const missing = before + messages - (await this.#arrived());
        throw new Error(`${missing} of ${messages} messages did not arrive at ${recipient}.`);
      }
      await sleep(10);
    }
    return (messages * 1000) / (performance.now() - start);
  }

  /** The sink shows its counters as sessions end: `sess=1 quit=1 mesg=20`. */
  async #arrived(): Promise<number> {
    const shown = await this.#host.run(["tail", "-c", "80", sinkLog]);
    return Number(/mesg=(\d+)\s*$/.exec(shown)?.[1] ?? 0);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#host[Symbol.asyncDispose]();
  }
}
