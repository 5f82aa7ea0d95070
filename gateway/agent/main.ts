/** The commands of a gateway host: `agent.js install`, `run`, `health`, `drain`. */
import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { HEALTH_PORT, HOST_PATHS, parseHostConfig } from "../host-config.ts";
import { runAgent } from "./agent.ts";
import { drain } from "./drain.ts";
import { errorText } from "./faults.ts";
import { install } from "./install.ts";

async function readConfig() {
  return parseHostConfig(await readFile(HOST_PATHS.configuration, "utf8"));
}

const program = new Command("agent.js").description("The agent of an mxHERO gateway host.");

program
  .command("install")
  .description("Writes Postfix's configuration, and starts or reloads its two instances.")
  .action(async () => {
    const done = await install(await readConfig());
    console.log(done.length === 0 ? "Nothing to do." : done.join("\n"));
    // A store that does not answer is not waited for.
    process.exit(0);
  });

program
  .command("run")
  .description("Follows the routes until SIGTERM.")
  .action(async () => {
    const stop = new AbortController();
    for (const signal of ["SIGTERM", "SIGINT"]) process.once(signal, () => stop.abort());
    await runAgent(await readConfig(), stop.signal);
    process.exit(0);
  });

program
  .command("health")
  .description(
    "Prints what the running agent says of the host's health; ends with 1 if it is not well.",
  )
  .action(async () => {
    const response = await fetch(`http://127.0.0.1:${HEALTH_PORT}/health`);
    console.log(JSON.stringify(await response.json(), undefined, 2));
    process.exitCode = response.ok ? 0 : 1;
  });

program
  .command("drain")
  .description(
    "Tries all queued mail again and waits until the queues are empty; ends with 1 if they are not.",
  )
  .option("--seconds <number>", "how long to wait", "300")
  .action(async ({ seconds }: { seconds: string }) => {
    const left = await drain(Number(seconds));
    console.log(`${left} messages are queued.`);
    process.exitCode = left === 0 ? 0 : 1;
  });

try {
  await program.parseAsync();
} catch (error) {
  console.error(errorText(error));
  process.exit(1);
}
