/** A tenant of a soak: an organisation with one domain, two mail systems, and an administrator's settings. */
import { stringify } from "yaml";
import { fleetNames } from "../hosts/fleet.ts";
import type { MailSystem } from "../mail-system.ts";
import type { MtaStsHost } from "../mta-sts-host.ts";
import type { PulumiResult } from "../pulumi.ts";
import type { MailServer } from "./mail-server.ts";
import { gatewayStack, type SoakWorld } from "./soak-world.ts";

export interface TenantSpec {
  /** E.g. `contoso`; its domain is `contoso.test`. */
  readonly name: string;
  /** From 0; its addresses follow from it. */
  readonly index: number;
  /** Its mail systems take mail from the gateway only, for as long as it is on it. */
  readonly locks: boolean;
  /** Publishes an MTA-STS policy, mode enforce, that admits its own hosts and the gateway's. */
  readonly mtaSts: boolean;
  /** How long the old and the new MX stand side by side, in seconds. */
  readonly overlapSeconds: number;
}

/** The mailbox that each tenant has. */
export const mailbox = "info";

/** For how long nothing may have gone out through the gateway before it stops to relay; the default is 24 h. */
const quietSeconds = 5;

/** They differ in what has cost mail elsewhere. */
export const exampleTenants: readonly TenantSpec[] = [
  { name: "contoso", index: 0, locks: true, mtaSts: false, overlapSeconds: 0 },
  { name: "fabrikam", index: 1, locks: true, mtaSts: true, overlapSeconds: 1 },
  { name: "tailspin", index: 2, locks: false, mtaSts: false, overlapSeconds: 0 },
];

/** What changes in its stack file. */
export interface DomainSettings {
  readonly outbound?: "standard" | "none";
  readonly bypass?: boolean;
  /** Its subscription has ended. */
  readonly inactive?: boolean;
  /** Whose MX is put back in place of the former: the mail system with this number. */
  readonly handBackTo?: 0 | 1;
}

/** A mail system, and the mail server of it that sends. */
export interface TenantSystem {
  readonly system: MailSystem;
  readonly server: MailServer;
}

export class Tenant {
  readonly spec: TenantSpec;
  readonly domain: string;
  readonly systems: readonly [TenantSystem, TenantSystem];
  readonly #world: SoakWorld;
  /** Which of its mail systems has the mailboxes. */
  current: 0 | 1 = 0;
  /** The outbound connector leads to the gateway. */
  connector = false;

  private constructor(
    spec: TenantSpec,
    world: SoakWorld,
    systems: readonly [TenantSystem, TenantSystem],
  ) {
    this.spec = spec;
    this.domain = `${spec.name}.test`;
    this.#world = world;
    this.systems = systems;
  }

  /** Its mail systems run, its zone is there, and its mail goes the direct way. */
  static async create(spec: TenantSpec, world: SoakWorld): Promise<Tenant> {
    const systems = [await startSystem(spec, 0, world), await startSystem(spec, 1, world)] as const;
    const tenant = new Tenant(spec, world, systems);
    await addZone(tenant, world);
    await world.project.addStack(spec.name, stringify({ config: tenant.#config({}) }));
    return tenant;
  }

  get mailServer(): MailServer {
    return this.systems[this.current].server;
  }

  /** Where its mail system hands over mail that goes out; `undefined`: to the recipients' MX. */
  get smarthost(): string | undefined {
    return this.connector ? fleetNames.smtpRelay : undefined;
  }

  /** Both mail systems take mail from the gateway only; `false` opens them to everyone. */
  lock(locked: boolean): void {
    const { fleet } = this.#world.fleet;
    const allowed = locked ? fleet.slots.map(({ inbound }) => inbound.public) : undefined;
    for (const { system } of this.systems) system.lockTo(allowed);
  }

  configure(settings: DomainSettings): Promise<void> {
    return this.#world.project.configure(this.spec.name, this.#config(settings));
  }

  run(
    command: "up" | "destroy",
    env: Readonly<Record<string, string>> = {},
  ): Promise<PulumiResult> {
    const args = [command, "--yes", "--skip-preview"];
    return this.#world.project.run(this.spec.name, args, { env });
  }

  #config({ outbound = "standard", bypass = false, inactive = false, handBackTo }: DomainSettings) {
    const { name, overlapSeconds } = this.spec;
    const host = (number: 0 | 1) => this.systems[number].system.name;
    return {
      "mail:organisation": name,
      "mail:gateway": { stack: gatewayStack },
      "mail:fixIt": "https://help.gateway.test/inactive",
      "mail:domains": [
        {
          name: this.domain,
          mailSystem: "exchange",
          server: host(this.current),
          inbound: "border",
          outbound,
          ...(outbound === "standard" && {
            sendingFrom: this.systems.map(({ system }) => system.address),
          }),
          probeRecipient: `${mailbox}@${this.domain}`,
          rcptLookup: true,
          overlapSeconds,
          quietSeconds,
          bypass,
          inactive,
          ...(handBackTo !== undefined && {
            handBackTo: [{ exchange: host(handBackTo), preference: 10 }],
          }),
        },
      ],
    };
  }
}

async function startSystem(
  { name, index }: TenantSpec,
  number: 0 | 1,
  { fleet, book, ...world }: SoakWorld,
): Promise<TenantSystem> {
  const host = `mail${number + 1}.${name}-hosting.test`;
  const address = `${fleet.net}.2.${index * 2 + number + 1}`;
  const system = await fleet.addMailSystem({
    name: host,
    address,
    domains: [`${name}.test`],
    // Reports of failure go to the senders of messages, of which each has its own.
    recipients: (to) => to === `${mailbox}@${name}.test` || to.startsWith("out-"),
    onMessage: (message) => book.receive(name, message),
  });
  return { system, server: world.sender({ name: host, address }) };
}

async function addZone(tenant: Tenant, { cloudflare, mtaSts }: SoakWorld): Promise<void> {
  const { domain, spec, systems } = tenant;
  const id = await cloudflare.addZone({ name: domain, account: spec.name });
  const [first] = systems;
  const addresses = systems.map(({ system }) => `ip4:${system.address}`);
  await cloudflare.seed(id, [
    { name: domain, type: "MX", content: first.system.name, priority: 10 },
    { name: domain, type: "TXT", content: `"v=spf1 ${addresses.join(" ")} -all"` },
    ...(spec.mtaSts ? announcePolicy(tenant, mtaSts) : []),
  ]);
}

/** Puts the policy on its host, and gives the records that announce it. */
function announcePolicy({ domain, systems }: Tenant, { policies, address }: MtaStsHost) {
  const hosts = [...systems.map(({ system }) => system.name), fleetNames.smtpIn];
  const lines = ["version: STSv1", "mode: enforce", ...hosts.map((host) => `mx: ${host}`)];
  policies.set(domain, `${[...lines, "max_age: 86400"].join("\r\n")}\r\n`);
  return [
    { name: `mta-sts.${domain}`, type: "A", content: address },
    { name: `_mta-sts.${domain}`, type: "TXT", content: '"v=STSv1; id=1;"' },
  ];
}
