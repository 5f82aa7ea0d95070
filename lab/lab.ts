/** `npm run lab`: the example world in the foreground, until Ctrl-C. */
import { Listr } from "listr2";
import type { KeptMessage } from "./mail-system.ts";
import { createProject, type PulumiProject } from "./pulumi.ts";
import { prepareShell } from "./shell.ts";
import { startWorld, type World } from "./world.ts";

const net = "127.1";
const stacks = ["contoso", "fabrikam"] as const;

/** Resolves at SIGINT, SIGTERM or SIGHUP. Before this is called, they end the lab at once. */
function interruption(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => resolve());
  });
}

async function start(owner: AsyncDisposableStack): Promise<{ world: World; command: string }> {
  const tasks = new Listr<{ world: World; project: PulumiProject; command: string }>(
    [
      {
        title: "Starting DNS, Cloudflare's API, the gateway and the mail systems",
        task: async (context, task) => {
          const onProgress = (step: string) => {
            task.output = step;
          };
          context.world = owner.use(await startWorld({ net, onProgress, onMessage: tell }));
        },
      },
      {
        title: `Making the stacks ${stacks.join(" and ")}`,
        task: async (context) => {
          const { directory, env } = context.world;
          context.project = await createProject({ directory, env });
          for (const stack of stacks) await context.project.addStack(stack);
        },
      },
      {
        title: "Preparing a shell",
        task: async (context) => {
          const { world, project } = context;
          const { name, address } = world.sender;
          context.command = await prepareShell({
            project,
            stack: stacks[0],
            env: { LAB_SENDER: `${name} ${address}` },
            directory: world.directory,
          });
        },
      },
    ],
    { fallbackRenderer: "simple" },
  );
  return tasks.run();
}

/** One line for each message that arrives. */
function tell({ sender, recipients, path }: KeptMessage): void {
  console.log(`Mail from ${sender} to ${recipients.join(", ")} arrived: ${path.join(" → ")}`);
}

function explain({ dns, cloudflare, gateway, mailSystems, mtaStsHost }: World, command: string) {
  const systems = [...mailSystems.values()].map(
    ({ name, address, domains }) => `  ${address.padEnd(14)}${name}, for ${domains.join(", ")}`,
  );
  const servers = dns.nameServers.map(({ name, address }) => `  ${address.padEnd(14)}${name}`);
  return `
The lab runs in a network namespace of its own.

DNS
  ${dns.resolver.padEnd(14)}recursive resolver
${servers.join("\n")}
Cloudflare's API
  ${cloudflare.url}
Gateway
  ${gateway?.addresses.join(", ")}  ${gateway?.name}
Mail systems
${systems.join("\n")}
MTA-STS policies
  ${mtaStsHost.address}

Open a shell inside it, in another terminal:

  ${command}

There, "pulumi preview", "pulumi up" and "pulumi destroy" work on the stack ${stacks[0]}
("pulumi stack select ${stacks[1]}" for the other one), and "send bob@contoso.test" delivers a
message from outside. Nobody can ask the gateway what goes out through it, so that a destroy needs your word:
MXHERO_OUTBOUND_STOPPED=contoso.test,bücher.test pulumi destroy. The files under stacks/ are copies: change them as you like.

Ctrl-C ends the lab and everything in it.
`;
}

await using owner = new AsyncDisposableStack();
const { world, command } = await start(owner);
console.log(explain(world, command));
await interruption();
console.log("Ending the lab.");
