/**
 * `npm run demo`: builds a gateway, and brings the example tenants' domains onto it and off it again, while
 * mail is under way. All that it prints was observed. It fails if a message is lost or goes another way
 * than it should, or if a record is not what it was.
 */
import { Command } from "commander";
import { type Census, differences, recordNames, takeCensus } from "./demo/census.ts";
import { type DomainView, mailDomains, viewDomain } from "./demo/domain-view.ts";
import { faultsAfterDestroy, faultsAfterUp, faultsOfMail } from "./demo/faults.ts";
import { hasArrived, MailStream, type Sent } from "./demo/mail-stream.ts";
import { faultsOfSending, type Sending, sendThroughGateway } from "./demo/outbound.ts";
import { PulumiRunError, Stacks, type Whose } from "./demo/stacks.ts";
import { changedView, fullView, heading, mailInShort, mailWays, pathView } from "./demo/words.ts";
import { exampleWorld, gatewayHost } from "./example-world.ts";
import { startGatewayAccount } from "./gateway-account.ts";
import { type HostRunner, startRunner } from "./hosts/runner.ts";
import { type MailSystem, startMailSystem } from "./mail-system.ts";
import { type Say, step } from "./step.ts";
import { startWorld, type World } from "./world.ts";

const net = "127.1";
/** Between two messages of the stream, in milliseconds. */
const interval = 200;

const introduction = `
Two organisations have five mail domains, with DNS at Cloudflare. Their mail is to pass a gateway
before it reaches their mail systems. This builds the gateway, two hosts with Postfix, from its Pulumi
stack; then it brings the domains onto it, which changes the gateway's routes, MX and SPF records, and
off it again. The engine, Postfix, the name servers and mail servers are real; the APIs of AWS and
Cloudflare are emulated. All of it runs in network namespaces of this machine, and nothing leaves it.
`;

interface Demo {
  readonly world: World;
  readonly stacks: Stacks;
  /** Where mail of the tenants goes. */
  readonly outside: readonly MailSystem[];
  readonly stream: MailStream;
  /** All messages of the stream whose fate is known. */
  readonly messages: Sent[];
  /** What is not as it has to be. */
  readonly faults: string[];
  readonly verbose: boolean;
}

/** @returns what was not as it has to be */
async function main(verbose: boolean): Promise<readonly string[]> {
  console.log(introduction);
  await using parts = new AsyncDisposableStack();
  const { world, account, runner, outside } = await step(
    "Start DNS, the APIs of Cloudflare and AWS, mail systems",
    (say) => startParts(parts, say),
  );
  const stacks = await step("Make a Pulumi stack for the gateway and for each organisation", () =>
    Stacks.create({ ...world, account }),
  );
  const before = await viewAll(world);
  const census = await takeCensus(world);
  print("Before: the way of a message to each domain, and its records", before.map(fullView));

  using stream = new MailStream({
    send: (mail) => world.send(mail),
    domains: mailDomains(world),
    interval,
  });
  const sender = world.sender.name;
  console.log(`From now on ${sender} sends a message every ${interval} ms, to each in turn.\n`);
  const demo: Demo = { world, stacks, outside, stream, verbose, messages: [], faults: [] };
  await build(demo, runner);
  await preview(demo);
  await onboard(demo, before);
  await sendOut(demo);
  const names = recordNames(world);
  await offboard(demo, before);
  await settle(demo);
  compare(demo, census, await takeCensus(world, names));
  return demo.faults;
}

async function startParts(parts: AsyncDisposableStack, say: Say) {
  const world = parts.use(await startWorld({ net, gateway: "none", onProgress: say }));
  say("AWS's API");
  const account = parts.use(await startGatewayAccount(world));
  const runner = parts.use(await startRunner({ ...world, moto: account.moto }));
  const outside: MailSystem[] = [];
  for (const system of exampleWorld(net).outside) {
    const certificate = await world.authority.issue(system.name);
    outside.push(parts.use(await startMailSystem({ ...system, certificate })));
  }
  return { world, account, runner, outside };
}

/** The gateway comes up before any tenant. */
async function build(demo: Demo, runner: HostRunner): Promise<void> {
  await runPulumi(demo, "gateway", "pulumi up of the gateway", ["up", "--yes", "--skip-preview"]);
  demo.faults.push(...runner.failures.map(({ message }) => message));
  const hosts = runner.instances.map(({ id, tags, host }) => {
    const [inbound, relay] = host.addresses.map((address) => address.public);
    return `  slot ${tags["mxhero:slot"]}  ${id}  smtp-in ${inbound}  smtp-relay ${relay}`;
  });
  print("The gateway: hosts with Postfix and the agent", hosts.toSorted());
}

async function preview(demo: Demo): Promise<void> {
  const writes = await runPulumi(demo, "tenants", "pulumi preview", ["preview"]);
  if (writes > 0) demo.faults.push(`The preview made ${writes} requests that change something.`);
}

async function onboard(demo: Demo, before: readonly DomainView[]): Promise<void> {
  const { world, stacks, faults } = demo;
  await runPulumi(demo, "tenants", "pulumi up", ["up", "--yes", "--skip-preview"]);
  const now = await viewAll(world);
  const changed = now.map((view, index) => changedView(view, before[index]));
  print("On the gateway: the way of a message to each domain, and its records", changed);
  faults.push(...faultsAfterUp(now, await stacks.outputs(), gatewayHost));
}

/** Mail of the domains that send through the gateway, as their mail systems hand it in. */
async function sendOut({ world, stacks, outside, faults }: Demo): Promise<void> {
  const outputs = await stacks.outputs();
  const domains = [...outputs].filter(([, { outbound }]) => outbound === "standard");
  const sendings = await Promise.all(
    domains.map(([domain]) => sendThroughGateway(world, outside, domain)),
  );
  const lines = sendings.map((sending) => `  ${sending.domain}\n    mail     ${wayOf(sending)}`);
  print("Mail that the domains send to ann@sender.test, through smtp-relay.gateway.test", lines);
  // "none", or the host with its port behind a comma.
  const hops = domains.map(
    ([domain, { route }]) => [domain, route?.relayServer ?? "none"] as const,
  );
  const relayServers = hops.filter(([, hop]) => hop !== "none");
  faults.push(
    ...faultsOfSending(
      sendings,
      new Map(relayServers.map(([domain, hop]) => [domain, hop.split(",", 1)[0] ?? ""])),
    ),
  );
}

function wayOf({ path, reply }: Sending): string {
  return path.length > 0 ? path.join(" → ") : reply;
}

async function offboard(demo: Demo, before: readonly DomainView[]): Promise<void> {
  await runPulumi(demo, "tenants", "pulumi destroy", ["destroy", "--yes", "--skip-preview"]);
  const now = await viewAll(demo.world);
  print("Off the gateway: the way of a message to each domain", now.map(pathView));
  demo.faults.push(...faultsAfterDestroy(before, now));
}

/**
 * Runs Pulumi and shows what became of the messages that were sent meanwhile.
 *
 * @returns how many requests were made to change something at Cloudflare
 */
async function runPulumi(
  demo: Demo,
  whose: Whose,
  title: string,
  args: readonly string[],
): Promise<number> {
  const { world, stacks, stream, messages, verbose } = demo;
  const { requests } = world.cloudflare;
  world.cloudflare.clearLogs();
  const display = await step(title, (say) => stacks.run(whose, args, say));
  if (verbose) console.log(display);
  const writes = requests.filter(({ kind }) => kind === "write").length;
  const meanwhile = await stream.take();
  messages.push(...meanwhile);
  console.log(`  Requests to Cloudflare: ${requests.length - writes} read, ${writes} write`);
  console.log(`  ${mailInShort(meanwhile, gatewayHost)}\n`);
  return writes;
}

/** Ends the stream and says what became of every message. */
async function settle({ world, stream, messages, faults }: Demo): Promise<void> {
  stream[Symbol.dispose]();
  messages.push(...(await stream.take()));
  const kept = [...world.mailSystems.values()].flatMap((system) => system.messages);
  const ids = kept.map(({ id }) => id);
  const arrived = messages.filter(({ journey }) => hasArrived(journey)).length;
  const lost = messages.length - arrived;
  const total = `${messages.length} messages sent, ${arrived} arrived, ${lost} lost`;
  print(`All mail of the stream: ${total}`, mailWays(messages));
  faults.push(...faultsOfMail(messages, ids));
}

function compare({ world, faults }: Demo, before: Census, now: Census): void {
  const different = differences(before, now);
  const records = `${now.atCloudflare.length} records at Cloudflare, with TTL, comment and tags`;
  const answers = `${now.served.length} answers of ${world.dns.nameServers.length} name servers`;
  if (different.length === 0) print(`Every record is what it was: ${records}; ${answers}`, []);
  else faults.push(`Not every record is what it was:\n${different.join("\n")}`);
}

function viewAll(world: World): Promise<DomainView[]> {
  return Promise.all(mailDomains(world).map((domain) => viewDomain(world, domain)));
}

function print(title: string, lines: readonly string[]): void {
  console.log([heading(title), ...lines, ""].join("\n"));
}

const { verbose = false } = new Command("npm run demo --")
  .description("Takes the example tenants' mail domains over, and hands them back.")
  .option("--verbose", "show all that Pulumi prints")
  .parse()
  .opts<{ verbose?: boolean }>();
const start = performance.now();
const faults = await main(verbose).catch((error: unknown) => {
  if (error instanceof PulumiRunError) return [error.message];
  throw error;
});
console.log(`All of this took ${Math.round((performance.now() - start) / 1000)} s.`);
if (faults.length > 0) {
  console.error(`\nThe demonstration failed:\n${faults.join("\n")}`);
  process.exitCode = 1;
}
