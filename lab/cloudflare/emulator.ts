/** The state behind the emulated API: zones, tokens, faults, logs, and what the lab's DNS shows of it. */
import { randomUUID } from "node:crypto";
import type { LabDns } from "../dns.ts";
import { type Disturbance, Propagation } from "./propagation.ts";
import { toSpec } from "./record.ts";
import { type Effect, Switches } from "./switches.ts";
import { Tokens } from "./tokens.ts";
import type {
  CloudflareOptions,
  Commit,
  Edit,
  LoggedRequest,
  RecordSpec,
  ZoneSpec,
} from "./types.ts";
import { type Applied, type Batch, type Change, Zone } from "./zone.ts";

/** A request of the log, whose status is filled in when it has been answered. */
export type OpenRequest = { -readonly [Key in keyof LoggedRequest]: LoggedRequest[Key] };

const undisturbed: Disturbance = { lag: new Map() };

export class Emulator {
  readonly tokens: Tokens;
  readonly switches = new Switches();
  readonly zones = new Map<string, Zone>();
  readonly requests: OpenRequest[] = [];
  readonly commits: Commit[] = [];
  readonly validationErrors: "plain" | "chained";
  readonly #dns: LabDns;
  readonly #propagation: Propagation;
  readonly #accounts = new Map<string, Zone["account"]>();
  #lastRequest = 0;
  #lastCommit = 0;

  constructor({ dns, rateLimit, validationErrors }: CloudflareOptions) {
    this.#dns = dns;
    this.#propagation = new Propagation(dns);
    this.tokens = new Tokens(rateLimit ?? { requests: 1200, seconds: 300 });
    this.validationErrors = validationErrors ?? "plain";
  }

  async addZone(spec: ZoneSpec): Promise<string> {
    const zone = new Zone(spec, this.#account(spec.account ?? "Lab"), this.#nameServers(spec));
    if (zone.served) {
      await this.#dns.addZone(zone.name, { signedBroken: spec.signedBroken ?? false });
    }
    this.zones.set(zone.id, zone);
    return zone.id;
  }

  async removeZone(id: string): Promise<void> {
    const zone = this.zone(id);
    this.zones.delete(id);
    if (zone.served) await this.#dns.removeZone(zone.name);
  }

  zone(id: string): Zone {
    const zone = this.zones.get(id);
    if (zone === undefined) throw new Error(`no zone ${id}`);
    return zone;
  }

  async seed(id: string, records: readonly RecordSpec[]): Promise<void> {
    const zone = this.zone(id);
    await this.#commit(zone, () => zone.seed(records));
  }

  async edit(id: string, edit: Edit): Promise<void> {
    const zone = this.zone(id);
    await this.#commit(zone, () => zone.edit(edit));
  }

  /** Commits and publishes; resolves when the answer may go out. @throws {ApiError} */
  async apply(
    zone: Zone,
    batch: Batch,
    request: LoggedRequest,
    effects: readonly Effect[],
  ): Promise<Applied> {
    let applied: Applied | undefined;
    const change = () => {
      applied = zone.apply(batch);
      return applied.changes;
    };
    await this.#commit(zone, change, request.sequence, disturbance(effects));
    if (applied === undefined) throw new Error("the transaction did not run");
    return applied;
  }

  log(request: Omit<OpenRequest, "sequence" | "time" | "status">): OpenRequest {
    this.#lastRequest += 1;
    const logged = {
      ...request,
      sequence: this.#lastRequest,
      time: new Date(),
      status: undefined,
    };
    this.requests.push(logged);
    return logged;
  }

  clearLogs(): void {
    this.requests.length = 0;
    this.commits.length = 0;
  }

  settled(): Promise<void> {
    return this.#propagation.settled();
  }

  async #commit(
    zone: Zone,
    change: () => readonly Change[],
    request?: number,
    disturbed = undisturbed,
  ): Promise<void> {
    const before = zone.records;
    const changes = change();
    if (changes.length === 0) return;
    this.#lastCommit += 1;
    this.commits.push({
      sequence: this.#lastCommit,
      time: new Date(),
      zone: zone.name,
      request,
      changes: changes.map(({ before: former, after }) => ({
        ...(former ? { before: toSpec(former) } : {}),
        ...(after ? { after: toSpec(after) } : {}),
      })),
    });
    await this.#propagation.publish(zone, before, changes, disturbed);
  }

  #account(name: string): Zone["account"] {
    const account = this.#accounts.get(name) ?? { id: randomUUID().replaceAll("-", ""), name };
    this.#accounts.set(name, account);
    return account;
  }

  /** A zone that is not active has been given other name servers than those that are delegated to. */
  #nameServers({ nameServers, status = "active" }: ZoneSpec): readonly string[] {
    if (nameServers !== undefined) return nameServers;
    if (status === "active") return this.#dns.nameServers.map(({ name }) => name);
    return ["ns3.dns-host.test", "ns4.dns-host.test"];
  }
}

function disturbance(effects: readonly Effect[]): Disturbance {
  const faults = effects.flatMap((effect) => ("fault" in effect ? effect : []));
  const lags = faults.flatMap((fault) => (fault.fault === "lagging-server" ? fault : []));
  return {
    piecemeal: faults.flatMap((fault) => (fault.fault === "piecemeal" ? fault : []))[0]
      ?.milliseconds,
    lag: new Map(lags.map(({ server, milliseconds }) => [server, milliseconds])),
  };
}
