/** The agent of one gateway host: its parts, put together. */
import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { decideRelay, type RelayDecision } from "../../mail/relay-decision.ts";
import type { RouteRecord } from "../../mail/route.ts";
import { type MailDirection, recordEnd } from "../../mail/route-life.ts";
import { RouteStore } from "../../store/route-store.ts";
import { type GatewayHostConfig, HEALTH_PORT, HOST_PATHS } from "../host-config.ts";
import { NULL_SENDER_WAY } from "../postfix/main-cf.ts";
import { mapEntries, outboundHop } from "../postfix/maps.ts";
import { Answers, type DomainAnswer } from "./answers.ts";
import { ClientRates } from "./client-rates.ts";
import { Closing } from "./closing.ts";
import { errorText, Faults } from "./faults.ts";
import { followLog } from "./follow-log.ts";
import { startHealthServer } from "./health-server.ts";
import { LastMail } from "./last-mail.ts";
import { MailLog } from "./mail-log.ts";
import { MAPS_IN_ORDER } from "./map-order.ts";
import { MapWriter } from "./map-writer.ts";
import { logMetrics } from "./metrics-log.ts";
import { type Health, lookAtHost, toReport } from "./monitor.ts";
import { fleetAddresses } from "./next-hops.ts";
import { OutboundQueue } from "./outbound-queue.ts";
import { PolicyProtocolError, type PolicyRequest } from "./policy-protocol.ts";
import { startPolicyServer } from "./policy-server.ts";
import type { Prover } from "./proof-party.ts";
import { Proofs } from "./proofs.ts";
import { proveRoute } from "./prove-route.ts";
import { RouteFile } from "./route-file.ts";
import { RouteTable } from "./route-table.ts";
import { Secrets } from "./secrets.ts";
import { RouteSync } from "./sync.ts";
import { UnreadableRoutes } from "./unreadable-routes.ts";

const HEARTBEAT_MILLISECONDS = 5_000;
const HASTY_MILLISECONDS = 1_000;

/** Runs until the signal is given. */
export async function runAgent(config: GatewayHostConfig, signal: AbortSignal): Promise<void> {
  await using parts = new AsyncDisposableStack();
  const faults = new Faults();
  const unreadable = new UnreadableRoutes(faults);
  const onUnreadable = (domain: string) => unreadable.note(domain);
  const store = parts.use(new RouteStore({ ...config.store, onUnreadable }));
  const answers = new Answers(store, config.slot, (error) =>
    error === undefined
      ? faults.clear("answers")
      : faults.set("answers", `not taken by the store: ${errorText(error)}`),
  );
  const table = new RouteTable();
  const secrets = new Secrets(HOST_PATHS.state, store);
  const prover = await makeProver(config, secrets);
  const proofs = parts.use(
    new Proofs({
      prove: (route) => proveRoute(route, prover),
      onProof: (domain, proof) => answers.put({ domain, proof }),
      knownProof: async (domain) => {
        const { answers: known } = await store.readDomain(domain);
        return known.find(({ slot }) => slot === config.slot)?.proof;
      },
    }),
  );
  const sync = new RouteSync({
    store,
    table,
    file: new RouteFile(HOST_PATHS.state),
    maps: makeMapWriter(secrets),
    secrets,
    faults,
    unreadable,
    onRecord: (record) => {
      unreadable.forget(record.domain);
      proofs.see(record);
    },
    onEffect: (record) => answers.put(acknowledgement(record)),
    onFirstEffect: (records) => answers.putLater(acknowledgements(records)),
  });
  const closing = new Closing({
    readMark: () => store.closingMark(config.slot),
    maps: HOST_PATHS.maps,
    instance: HOST_PATHS.inboundInstance,
  });
  await closing.start();
  await sync.start();
  parts.use(await startPolicy(config, sync, table, faults));
  let health: Health | undefined;
  parts.use(await startHealthServer({ port: HEALTH_PORT, health: () => health }));
  const lastMail = new LastMail(
    (answer, outboundSince) => answers.put(answer, outboundSince),
    (domain) => table.get(domain) !== undefined,
  );
  const outboundQueue = new OutboundQueue(
    (answer, instant) => answers.put(answer, instant),
    (domain) => table.get(domain) !== undefined,
  );
  await Promise.all([
    sync.run(signal),
    answers.run(signal),
    logMetrics(config, () => health, faults, signal),
    follow("inbound", HOST_PATHS.inboundLog, lastMail, faults, signal),
    follow("outbound", HOST_PATHS.relayLog, lastMail, faults, signal),
    repeat(signal, async () => {
      lastMail.flush(Date.now());
      health = await lookAtHost({
        config,
        faults,
        syncState: () => syncState(sync, table),
        closing: () => closing.state,
        onRelayQueue: ({ senders }, instant) => outboundQueue.see(senders, instant),
      });
      if (health.healthy && outboundQueue.lookedAt > 0) return HEARTBEAT_MILLISECONDS;
      if (sync.isReady) return HASTY_MILLISECONDS;
      // A new host is well from the moment on when its routes are there.
      await Promise.race([sync.ready, sleep(HASTY_MILLISECONDS, signal)]);
      return 0;
    }),
    // By itself: a store that hangs must not keep the host from looking at itself.
    repeat(signal, async () => {
      if (health === undefined) return HASTY_MILLISECONDS;
      const told = [lastMail.toldUntil, outboundQueue.lookedAt, answers.outboundSince];
      const toldUntil = Math.min(...told);
      const report = toReport(health, new Date(toldUntil));
      await faults.around("heartbeat", () => store.putReport(report));
      return HEARTBEAT_MILLISECONDS;
    }),
    repeat(signal, async () => {
      await faults.around("closing", () => closing.follow());
      return HEARTBEAT_MILLISECONDS;
    }),
  ]);
}

function syncState(sync: RouteSync, table: RouteTable) {
  return { isReady: sync.isReady, lastContact: sync.lastContact, routes: table.size };
}

/**
 * What this slot never told, where it is new, or a former life of it did not tell any more. Of what has ended, the
 * store keeps nothing.
 */
function* acknowledgements(records: Iterable<RouteRecord>) {
  for (const record of records) {
    const end = recordEnd(record);
    if (end === undefined || Date.parse(end) > Date.now()) yield acknowledgement(record);
  }
}

/** What is said of a route that was given up ends with it. */
function acknowledgement(record: RouteRecord): DomainAnswer {
  const { domain, revision } = record;
  const expires = recordEnd(record);
  return { domain, acknowledged: revision, ...(expires !== undefined && { expires }) };
}

function makeMapWriter(secrets: Secrets): MapWriter {
  return new MapWriter({
    directory: HOST_PATHS.maps,
    instance: HOST_PATHS.inboundInstance,
    content: {
      maps: MAPS_IN_ORDER,
      entriesOf: (record: RouteRecord, now) =>
        mapEntries(record, now, (login) => secrets.passwordOf(login)),
    },
  });
}

async function makeProver(config: GatewayHostConfig, secrets: Secrets): Promise<Prover> {
  return {
    inbound: { name: config.smtpIn, address: config.inbound.address },
    relay: { name: config.smtpRelay, address: config.relay.address },
    fleetAddresses: () => fleetAddresses(config),
    nextHops: config.nextHops,
    authorities: await readFile(HOST_PATHS.authorities, "utf8"),
    readSecret: (name) => secrets.read(name),
    connectMilliseconds: 10_000,
    replyMilliseconds: 30_000,
  };
}

/** The next good decision ends a fault: the host asks one of itself every few seconds. */
function startPolicy(
  { clientLimits }: GatewayHostConfig,
  sync: RouteSync,
  table: RouteTable,
  faults: Faults,
): Promise<AsyncDisposable> {
  const rates = new ClientRates(clientLimits);
  return startPolicyServer({
    socket: HOST_PATHS.policySocket,
    decide: (request: PolicyRequest) => {
      const { context, sender, clientAddress, fingerprint } = request;
      const isWay = context === NULL_SENDER_WAY;
      if (!isWay && context !== "") {
        throw new PolicyProtocolError(`Nothing is known of ${context}.`);
      }
      const excess = isWay ? undefined : rates.count(request, performance.now());
      if (excess !== undefined) return excess;
      const client = { address: clientAddress, fingerprint };
      const index = sync.isReady ? table.index : undefined;
      const decision = decideRelay(index, { sender, client }, new Date());
      faults.clear("policy service");
      return isWay ? wayAction(decision) : toAction(decision);
    },
    onFault: (error) => faults.set("policy service", errorText(error)),
  });
}

/** An action of access(5). */
function toAction(decision: RelayDecision): string {
  return decision.action === "permit" ? "OK" : decision.reply;
}

/** Where the mail of a null sender goes. It is asked for after the permission. */
function wayAction(decision: RelayDecision): string {
  if (decision.action !== "permit") return decision.reply;
  const hop = decision.way && outboundHop(decision.way);
  return hop === undefined ? "DUNNO" : `FILTER ${hop}`;
}

async function follow(
  direction: MailDirection,
  path: string,
  lastMail: LastMail,
  faults: Faults,
  signal: AbortSignal,
): Promise<void> {
  const log = new MailLog(direction);
  const topic = `${direction} log`;
  await followLog(
    {
      path,
      onLine: (line) => {
        const passed = log.read(line, new Date());
        if (passed !== undefined) lastMail.note(passed, Date.now());
      },
      onEnd: (instant) => lastMail.readTo(direction, instant),
      onFault: (fault) =>
        fault === undefined ? faults.clear(topic) : faults.set(topic, errorText(fault)),
    },
    signal,
  );
}

/** @param work says after how many milliseconds it is to be done again */
async function repeat(signal: AbortSignal, work: () => Promise<number>): Promise<void> {
  while (!signal.aborted) {
    await sleep(await work(), signal);
  }
}

/** Ends early where the signal is given. */
function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  return delay(milliseconds, undefined, { signal }).catch(() => undefined);
}
