import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtempDisposable } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, test } from "vitest";
import { testNet } from "../test-net.ts";
import { addLabAddress, type Host, type HostOptions, startHost } from "./host.ts";

const net = testNet;
const inside = net.replace("127.", "10.");

/** Two hosts with two addresses each. */
async function startTwo(more: Partial<HostOptions> = {}) {
  await using parts = new AsyncDisposableStack();
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "lab-"))).path;
  const start = async (name: string, number: number) =>
    parts.use(
      await startHost({
        name,
        directory,
        addresses: [
          { private: `${inside}.1.${number}`, public: `${net}.1.${number}` },
          { private: `${inside}.1.${number + 10}`, public: `${net}.1.${number + 10}` },
        ],
        address6: `fd00::1:${number}`,
        resolver: `${net}.0.1`,
        ...more,
      }),
    );
  const hosts = [await start("a", 1), await start("b", 2)] as const;
  return { directory, a: hosts[0], b: hosts[1], parts: parts.move() };
}

/** A server in a host that tells each client who it is. */
function serve(host: Host, address: string) {
  const script = `require("node:net").createServer((c) => c.end(c.remoteAddress)).listen(7, "${address}", () => console.log("up"))`;
  return host.exec([
    "sh",
    "-c",
    `node -e '${script}' >/tmp/up 2>&1 & until grep -q up /tmp/up; do sleep 0.05; done`,
  ]);
}

async function askAt(address: string, localAddress?: string): Promise<string> {
  const socket = connect({
    host: address,
    port: 7,
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  return text(socket);
}

/** What the server says to a client in a host. */
function askFrom(host: Host, address: string, localAddress?: string): Promise<string> {
  const options = JSON.stringify({ host: address, port: 7, localAddress });
  return host.run(["node", "-e", `require("node:net").connect(${options}).pipe(process.stdout)`]);
}

test("a host is found at its public address, and seen with it", async () => {
  const { a, b, parts } = await startTwo();
  await using _ = parts;
  await serve(a, `${inside}.1.11`);
  await using server = createServer((client) => client.end(String(client.remoteAddress))).listen(
    7,
    `${net}.4.1`,
  );
  await once(server, "listening");

  expect(await askAt(`${net}.1.11`, `${net}.4.1`)).toBe(`${net}.4.1`);
  expect(await askAt(`${net}.1.11`)).toBe(`${inside}.0.1`);
  expect(await askFrom(a, `${net}.4.1`, `${inside}.1.11`)).toBe(`${net}.1.11`);
  expect(await askFrom(a, `${net}.4.1`, `${inside}.1.1`)).toBe(`${net}.1.1`);
  // Between hosts: by private addresses nothing is translated, by public ones both ends are.
  expect(await askFrom(b, `${inside}.1.11`, `${inside}.1.2`)).toBe(`${inside}.1.2`);
  expect(await askFrom(b, `${net}.1.11`, `${inside}.1.2`)).toBe(`${net}.1.2`);
  expect(await askFrom(a, `${net}.1.11`, `${inside}.1.1`)).toBe(`${net}.1.1`);
});

test("IPv6 reaches hosts and the lab's own servers", async () => {
  const { a, b, parts } = await startTwo();
  await using _ = parts;
  await addLabAddress("fd00::2:1");
  await using server = createServer((client) => client.end(String(client.remoteAddress))).listen(
    7,
    "fd00::2:1",
  );
  await once(server, "listening");
  await serve(a, "fd00::1:1");
  expect(await askFrom(a, "fd00::2:1")).toBe("fd00::1:1");
  expect(await askFrom(b, "fd00::1:1")).toBe("fd00::1:2");
  expect(await askAt("fd00::1:1")).toBe("fd00::2:1");
});

test("what a host writes stays in it, also over a power cut; its processes do not", async () => {
  const { a, b, parts } = await startTwo();
  await using _ = parts;
  expect(await a.run(["hostname"])).toBe("a");
  await a.run(["sh", "-c", "echo mine >/etc/of-a; sleep 300 >/dev/null 2>&1 & echo $! >/run/pid"]);
  expect(existsSync("/etc/of-a")).toBe(false);
  expect((await b.exec(["cat", "/etc/of-a"])).exitCode).toBe(1);
  expect(await a.run(["pgrep", "sleep"])).not.toBe("");
  await a.kill();
  expect(a.running).toBe(false);
  await expect(a.exec(["true"])).rejects.toThrow("a is off");
  await a.boot();
  expect(await a.run(["cat", "/etc/of-a"])).toBe("mine");
  expect((await a.exec(["pgrep", "sleep"])).exitCode).toBe(1);
  expect((await a.exec(["cat", "/run/pid"])).exitCode).toBe(1);
});

test("a host that is cut off hears and says nothing, and goes on when it is back", async () => {
  const { a, parts } = await startTwo();
  await using _ = parts;
  await serve(a, `${inside}.1.1`);
  await a.cutOff(true);
  const attempt = ["timeout", "0.5", "bash", "-c", `exec 3<>/dev/tcp/${net}.4.1/7`];
  expect((await a.exec(attempt)).exitCode).toBe(124);
  const waiting = askAt(`${net}.1.1`, `${net}.4.1`);
  await a.cutOff(false);
  expect(await waiting).toBe(`${net}.4.1`);
});

test("the volume is full when it is full, and outlives the host", async () => {
  await using directory = await mkdtempDisposable(join(tmpdir(), "lab-"));
  const volume = {
    file: join(directory.path, "volume"),
    megabytes: 16,
    mountPoint: "/var/spool/queue",
  };
  await using host = await startHost({
    name: "a",
    directory: directory.path,
    addresses: [{ private: `${inside}.1.1` }],
    resolver: `${net}.0.1`,
    volume,
  });
  await host.run(["sh", "-c", "echo kept >/var/spool/queue/letter"]);
  await host.fillDisk("/var/spool/queue", true);
  const write = ["cp", "/etc/services", "/var/spool/queue/other"];
  expect((await host.exec(write)).stderr).toContain("No space left on device");
  expect((await host.exec(["sh", "-c", "echo x >/etc/x"])).exitCode).toBe(0);
  await host.fillDisk("/var/spool/queue", false);
  expect((await host.exec(write)).exitCode).toBe(0);
  await host.kill();
  await host.boot();
  expect(await host.run(["cat", "/var/spool/queue/letter"])).toBe("kept");
});
