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

const unit = `[Unit]
Description=A service
[Service]
ExecStart=/bin/sh -c 'echo "$WORD as $(id -un) at $AWS_ENDPOINT_URL"; exec sleep 300'
User=nobody
Environment="WORD=two words" OTHER=x
Restart=on-failure
RestartSec=0.1
RuntimeDirectory=service
[Install]
WantedBy=multi-user.target
`;

test("a service is started, restarted after a crash and at boot, and stopped", async () => {
  const { a, parts } = await startTwo({ env: { AWS_ENDPOINT_URL: "http://moto.test" } });
  await using _ = parts;
  const isActive = () => a.exec(["systemctl", "is-active", "service"]);
  const pid = () => a.run(["pgrep", "sleep"]);
  await a.write("/etc/systemd/system/service.service", unit);
  expect(await isActive()).toMatchObject({ exitCode: 3, stdout: "inactive" });
  await a.run(["systemctl", "enable", "--now", "service.service"]);
  expect(await isActive()).toMatchObject({ exitCode: 0, stdout: "active" });
  const log = () => a.run(["journalctl", "-u", "service"]);
  await expect.poll(log).toBe("two words as nobody at http://moto.test");
  const first = await pid();
  await a.run(["kill", "-9", first]);
  await expect.poll(() => a.exec(["pgrep", "sleep"])).toMatchObject({ exitCode: 0 });
  await expect.poll(pid).not.toBe(first);
  expect(await log()).toContain("service.service ended with 137");
  await a.kill();
  await a.boot();
  await expect.poll(isActive).toMatchObject({ stdout: "active" });
  await a.run(["systemctl", "stop", "service"]);
  expect(await isActive()).toMatchObject({ exitCode: 3 });
  expect((await a.exec(["pgrep", "sleep"])).exitCode).toBe(1);
  expect((await a.exec(["systemctl", "start", "no-such"])).stderr).toBe(
    "Unit no-such.service not found.",
  );
});

const forking = `[Service]
Type=forking
GuessMainPID=no
ExecStart=/bin/sh -c 'setsid sleep 301 & true'
ExecStop=/usr/bin/pkill -f "^sleep 301"
Restart=always
RestartSec=0
`;

test("a service that goes to the background is restarted when all of it has ended", async () => {
  const { a, parts } = await startTwo();
  await using _ = parts;
  await a.write("/etc/systemd/system/back@.service", forking);
  await a.run(["systemctl", "start", "back@one"]);
  const pid = () => a.exec(["pgrep", "-f", "^sleep 301"]);
  const first = (await pid()).stdout;
  expect(first).toMatch(/^\d+$/);
  await a.run(["kill", "-9", first]);
  await expect.poll(pid).toMatchObject({ exitCode: 0, stdout: expect.not.stringMatching(first) });
  await a.run(["systemctl", "stop", "back@one"]);
  expect((await pid()).exitCode).toBe(1);
  expect((await a.exec(["systemctl", "is-active", "back@one"])).stdout).toBe("inactive");
});

test("an instance finds its metadata, with a token only", async () => {
  const metadata = {
    instanceId: "i-0123456789abcdef0",
    region: "eu-central-1",
    availabilityZone: "eu-central-1a",
    localIpv4: `${inside}.1.1`,
    userData: "#!/bin/sh\necho hello\n",
    role: { name: "gateway", accessKeyId: "key", secretAccessKey: "secret" },
    tags: { Name: "slot-a" },
  };
  const { a, parts } = await startTwo({ metadata });
  await using _ = parts;
  const base = "http://169.254.169.254/latest";
  const curl = (...args: string[]) => a.exec(["curl", "-sf", "-m", "5", ...args]);
  expect((await curl(`${base}/meta-data/instance-id`)).exitCode).toBe(22);
  const ttl = "X-aws-ec2-metadata-token-ttl-seconds: 60";
  const token = (await curl("-X", "PUT", "-H", ttl, `${base}/api/token`)).stdout;
  const read = async (path: string) =>
    (await curl("-H", `X-aws-ec2-metadata-token: ${token}`, `${base}/${path}`)).stdout;
  expect(await read("meta-data/instance-id")).toBe("i-0123456789abcdef0");
  expect(await read("meta-data/iam/security-credentials/")).toBe("gateway");
  const credentials = await read("meta-data/iam/security-credentials/gateway");
  expect(JSON.parse(credentials)).toMatchObject({ Code: "Success", AccessKeyId: "key" });
  expect(await read("meta-data/tags/instance/Name")).toBe("slot-a");
  expect(await read("user-data")).toBe("#!/bin/sh\necho hello");
  expect((await curl("-H", `X-aws-ec2-metadata-token: ${token}`, `${base}/none`)).exitCode).toBe(
    22,
  );
  await a.kill();
  await a.boot();
  expect((await curl("-X", "PUT", "-H", ttl, `${base}/api/token`)).exitCode).toBe(0);
});

test("packages that this machine has install without a network", async () => {
  const { a, parts } = await startTwo();
  await using _ = parts;
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  const install = [
    "apt-get",
    "install",
    "-y",
    "--no-install-recommends",
    "postfix",
    "postfix-lmdb",
  ];
  expect(await a.run(install, { env })).toContain("postfix is already the newest version");
});
