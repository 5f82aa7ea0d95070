import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { commandLineOf, descendantsOf } from "./processes.ts";

test("children and grandchildren are found with their command lines, until they end", async () => {
  const script = "sh -c 'sleep 60 & echo ready; wait' & wait";
  const parent = spawn("sh", ["-c", script], { stdio: ["ignore", "pipe", "ignore"] });
  const { pid = 0, stdout } = parent;
  await once(stdout, "data");
  const pids = await descendantsOf(pid);
  const commands = await Promise.all(pids.map(commandLineOf));
  expect(commands.map(([program]) => program)).toEqual(["sh", "sleep"]);

  for (const descendant of pids) process.kill(descendant, "SIGKILL");
  await once(parent, "exit");
  expect(await descendantsOf(pid)).toEqual([]);
  expect(await commandLineOf(pids[0] ?? 0)).toEqual([]);
});
