/**
 * `npm run demo`: brings the example tenants' domains onto the gateway and off it again, while mail
 * is under way. All that it prints was observed. It fails if a message is lost or goes another way
 * than it should, or if a record is not what it was.
 */
import { Command } from "commander";
import { type Census, differences, recordNames, takeCensus } from "./demo/census.ts";
import { type DomainView, mailDomains, viewDomain } from "./demo/domain-view.ts";
import { faultsAfterDestroy, faultsAfterUp, faultsOfMail } from "./demo/faults.ts";
import { hasArrived, MailStream, type Sent } from "./demo/mail-stream.ts";
import { PulumiRunError, Tenants } from "./demo/tenants.ts";
import { changedView, fullView, heading, mailInShort, mailWays, pathView } from "./demo/words.ts";
import { step } from "./step.ts";
import { startWorld, type World } from "./world.ts";

const net = "127.1";
/** Between two messages of the stream, in milliseconds. */
const interval = 200;

const introduction = `
Two organisations have five mail domains, with DNS at Cloudflare. Their mail is to pass a gateway
before it reaches their mail systems; for that, MX and SPF records have to change. This brings the
domains onto the gateway and off it again with the real Pulumi engine, against real name servers and
mail servers, in a network namespace of this machine. Nothing leaves it.
`;

interface Demo {
  readonly world: World;
  readonly tenants: Tenants;
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
  await using world = await step("Start DNS, Cloudflare's API, the gateway, mail systems", (say) =>
    startWorld({ net, onProgress: say }),
  );
  const tenants = await step("Make a Pulumi stack for each organisation", () =>
    Tenants.create(world),
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
  const demo: Demo = { world, tenants, stream, verbose, messages: [], faults: [] };
  await preview(demo);
  await onboard(demo, before);
  const names = recordNames(world);
  await offboard(demo, before);
  await account(demo);
  compare(demo, census, await takeCensus(world, names));
  return demo.faults;
}

async function preview(demo: Demo): Promise<void> {
  const writes = await runPulumi(demo, "pulumi preview", ["preview"]);
  if (writes > 0) demo.faults.push(`The preview made ${writes} requests that change something.`);
}

async function onboard(demo: Demo, before: readonly DomainView[]): Promise<void> {
  const { world, tenants, faults } = demo;
  await runPulumi(demo, "pulumi up", ["up", "--yes", "--skip-preview"]);
  const now = await viewAll(world);
  const changed = now.map((view, index) => changedView(view, before[index]));
  print("On the gateway: the way of a message to each domain, and its records", changed);
  faults.push(...faultsAfterUp(now, await tenants.outputs(), world.gateway.name));
}

async function offboard(demo: Demo, before: readonly DomainView[]): Promise<void> {
  await runPulumi(demo, "pulumi destroy", ["destroy", "--yes", "--skip-preview"]);
  const now = await viewAll(demo.world);
  print("Off the gateway: the way of a message to each domain", now.map(pathView));
  demo.faults.push(...faultsAfterDestroy(before, now));
}

/**
 * Runs Pulumi on all stacks and shows what became of the messages that were sent meanwhile.
 *
 * @returns how many requests were made to change something at Cloudflare
 */
async function runPulumi(demo: Demo, title: string, args: readonly string[]): Promise<number> {
  const { world, tenants, stream, messages, verbose } = demo;
  const { requests } = world.cloudflare;
  world.cloudflare.clearLogs();
  const display = await step(title, (say) => tenants.run(args, say));
  if (verbose) console.log(display);
  const writes = requests.filter(({ kind }) => kind === "write").length;
  const meanwhile = await stream.take();
  messages.push(...meanwhile);
  console.log(`  Requests to Cloudflare: ${requests.length - writes} read, ${writes} write`);
  console.log(`  ${mailInShort(meanwhile, world.gateway.name)}\n`);
  return writes;
}

/** Ends the stream and says what became of every message. */
async function account({ world, stream, messages, faults }: Demo): Promise<void> {
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
