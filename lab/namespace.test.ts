import { once } from "node:events";
import { createServer } from "node:net";
import { execa } from "execa";
import { expect, test } from "vitest";

const program = `
  import { enterNamespace } from ${JSON.stringify(new URL("./namespace.mjs", import.meta.url).href)};
  process.exitCode = await enterNamespace(process.argv.slice(1));
`;

/** Starts a process that calls `enterNamespace`. */
function enter(...command: string[]) {
  return execa(process.execPath, ["--input-type=module", "-e", program, ...command], {
    reject: false,
  });
}

test("the network holds only the loopback interface, and port 25 may be bound", async () => {
  const script = `
    const server = require("node:net").createServer().listen(25, "127.9.1.1", () => {
      console.log(Object.keys(require("node:os").networkInterfaces()).join());
      server.close();
    });`;
  const { stdout, exitCode } = await enter(process.execPath, "-e", script);
  expect({ stdout, exitCode }).toEqual({ stdout: "lo", exitCode: 0 });
});

test("what listens outside cannot be reached", async () => {
  await using server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" ? String(address?.port) : "";
  const script = `
    require("node:net").connect(Number(process.argv[1]), "127.0.0.1")
      .on("connect", () => console.log("reached"))
      .on("error", (error) => console.log(error.code));`;
  const { stdout } = await enter(process.execPath, "-e", script, port);
  expect(stdout).toBe("ECONNREFUSED");
});

test("the command runs as the caller, and its exit code is passed on", async () => {
  const { stdout, exitCode } = await enter("sh", "-c", "id -u; exit 7");
  expect({ stdout, exitCode }).toEqual({ stdout: String(process.getuid?.()), exitCode: 7 });
});

test("temporary files end with the command", async () => {
  const { stdout } = await enter("sh", "-c", 'mktemp "$TMPDIR/XXXXXXXX"');
  const { exitCode } = await enter("test", "-e", stdout);
  expect(stdout).toMatch(/^\/dev\/shm\/\w{8}$/);
  expect(exitCode).toBe(1);
});

test("a signal reaches the command", async () => {
  const script = `
    process.on("SIGTERM", () => process.exit(3));
    setInterval(() => {}, 1000);
    console.log("ready");`;
  const running = enter(process.execPath, "-e", script);
  await once(running.stdout, "data");
  running.kill("SIGTERM");
  expect(await running).toMatchObject({ exitCode: 3, isTerminated: false });
});

test("nothing outlives a caller that was killed", async () => {
  const running = enter("sh", "-c", "sleep 60 & echo ready; sleep 60");
  await once(running.stdout, "data");
  // The pipe closes when the last process that holds it has ended.
  const closed = once(running.stdout, "close");
  running.kill("SIGKILL");
  await closed;
  expect((await running).signal).toBe("SIGKILL");
  expect((await enter("true")).exitCode).toBe(0);
});
