/**
 * For tests of tenants whose gateways keep their routes themselves: the real engine and a route store for each
 * gateway. The gateways' stacks, the slots' agents and the mail are stand-ins.
 */
import type { z } from "zod";
import type { tenant } from "../config/tenant.ts";
import { type Moto, startMoto } from "../lab/aws/moto.ts";
import { createRouteTable, type LabRouteStore } from "../lab/aws/route-table.ts";
import type { RunOptions } from "../lab/pulumi.ts";
import { testNet } from "../lab/test-net.ts";
import type { RouteRecord } from "../mail/route.ts";
import { RouteStore } from "../store/route-store.ts";
import {
  type DomainEntry,
  gateway,
  mx,
  startTenantLab,
  type TenantLab,
  type TenantStack,
  txt,
} from "./tenant.ts";
import { type Reports, startAgents, startReports } from "./test-agents.ts";

export const SLOTS = ["a", "b"];

/** A gateway with its store, whose slots prove, acknowledge and report. */
export interface RoutingGateway {
  readonly stack: string;
  readonly options: LabRouteStore;
  readonly store: RouteStore;
  readonly reports: Reports;
  recordOf(domain: string): Promise<RouteRecord | undefined>;
  /** Mail of the domain has passed slot a: the last message so many seconds ago, after as many others. */
  sent(domain: string, ago: number, messages?: number, client?: string): Promise<void>;
  /** The mail system has handed a message for the domain over to slot a, so many seconds ago. */
  handedOver(domain: string, ago: number): Promise<void>;
  /** So many messages of the domain wait in the queue of slot a. */
  queued(domain: string, messages: number): Promise<void>;
}

export interface RoutingLab extends AsyncDisposable {
  readonly tenants: TenantLab;
  readonly moto: Moto;
  /** What every run needs. */
  readonly options: RunOptions;
  addGateway(name: string, hosts?: Partial<typeof gateway>): Promise<RoutingGateway>;
  addZone(name: string): ReturnType<TenantLab["addZone"]>;
  addStack(name: string, of: RoutingGateway, domains: readonly DomainEntry[]): Promise<TenantStack>;
  write(stack: TenantStack, of: RoutingGateway, domains: readonly DomainEntry[]): Promise<void>;
}

export async function startRoutingLab(): Promise<RoutingLab> {
  await using parts = new AsyncDisposableStack();
  const tenants = parts.use(await startTenantLab());
  const { directory } = tenants.world;
  const moto = parts.use(await startMoto({ address: `${testNet}.5.1`, directory }));
  // The SDK looks for credentials there.
  Object.assign(process.env, moto.env);
  const owned = parts.move();
  return {
    tenants,
    moto,
    options: { env: moto.env },
    addGateway: async (name, hosts = {}) => {
      const options = await createRouteTable(moto, name);
      const store = owned.use(new RouteStore(options));
      owned.use(await startAgents(store, SLOTS));
      const { says: reports } = owned.use(startReports(store, SLOTS));
      const { table, region, secretPrefix, keyId } = options;
      const routeStore = { table, region, secretPrefix, keyId, nextHops: "public" };
      const outputs = { ...gateway, ...hosts, slots: SLOTS, routeStore };
      await tenants.project.addOutputs(name, outputs);
      return {
        stack: `organization/mail/${name}`,
        options,
        store,
        reports,
        recordOf: async (domain) => (await store.readDomain(domain)).record,
        sent: (domain, ago, messages = 1, client = "11.22.33.44") =>
          tell(store, domain, { ago, messages, client }),
        handedOver: (domain, ago) => {
          const lastInbound = { at: instant(ago), from: "11.22.33.44" };
          return store.putAnswer({ domain, slot: "a", lastInbound });
        },
        queued: (domain, messages) => {
          const at = new Date().toISOString();
          const queuedOutbound = { at, messages, since: at };
          return store.putAnswer({ domain, slot: "a", queuedOutbound });
        },
      };
    },
    addZone: (name) =>
      tenants.addZone(name, [
        mx(name, 10, `mail.${name}`),
        txt(name, `v=spf1 a:mail.${name} -all`),
      ]),
    addStack: (name, of, domains) => tenants.addStack(name, fileOf(of, domains)),
    write: (stack, of, domains) => stack.write(fileOf(of, domains)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

export const NEW_MX = "smtp-in.new-gateway.test";

/** A second gateway, `next`, with hosts of its own. */
export async function addNewGateway(lab: RoutingLab): Promise<RoutingGateway> {
  const { net } = lab.tenants.world;
  const smtpRelay = "smtp-relay.new-gateway.test";
  const spfInclude = "_spf.new-gateway.test";
  await lab.tenants.addZone("new-gateway.test", [
    { name: NEW_MX, type: "A", content: `${net}.1.2` },
    { name: smtpRelay, type: "A", content: `${net}.1.3` },
    txt(spfInclude, `v=spf1 ip4:${net}.1.3 -all`),
  ]);
  const mxOfNew = [{ exchange: NEW_MX, preference: 10 }];
  return lab.addGateway("next", { mx: mxOfNew, smtpIn: NEW_MX, smtpRelay, spfInclude });
}

function fileOf({ stack }: RoutingGateway, domains: readonly DomainEntry[]) {
  const named: z.input<typeof tenant>["gateway"] = { stack };
  return {
    gateway: named,
    domains: domains.map((domain) => ({
      mailSystem: "exchange" as const,
      rcptLookup: true,
      probeRecipient: `info@${domain.name}`,
      fixIt: "https://help.example.com/",
      ...(domain.outbound === "none" ? {} : { sendingFrom: ["11.22.33.44"] }),
      ...domain,
    })),
  };
}

interface Passed {
  readonly ago: number;
  readonly messages: number;
  readonly client: string;
}

function instant(secondsAgo: number): string {
  return new Date(Date.now() - secondsAgo * 1000).toISOString();
}

async function tell(store: RouteStore, domain: string, { ago, messages, client }: Passed) {
  const mail = { at: instant(ago), from: client };
  const since = instant(ago + 600);
  const clients = { knownSince: instant(ago + 2 * 86_400), latest: [mail] };
  const lastOutbound = { ...mail, spell: { since, messages }, clients };
  await store.putAnswer({ domain, slot: "a", lastOutbound });
}
