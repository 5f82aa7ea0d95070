/** A gateway with an SMTP processor: accepted mail passes through it, in both directions. */
import { afterAll, expect, test } from "vitest";
import { HOST_PATHS, RETURN_PORTS } from "../gateway/host-config.ts";
import { SESSIONS_MAP, sessionsSource } from "../gateway/postfix/sessions.ts";
import { exampleRoute } from "../gateway/postfix/testdata/example.ts";
import { startPlainMailServer } from "../lab/plain-mail-server.ts";
import { deliver, openSession } from "../lab/smtp-dialogue.ts";
import { testNet as net } from "../lab/test-net.ts";
import { startPostfixHost } from "./postfix-host.ts";

const processorPort = 10_024;
const parts = new AsyncDisposableStack();
afterAll(() => parts.disposeAsync());
const gateway = parts.use(
  await startPostfixHost({
    net,
    config: { processor: { host: "127.0.0.1", port: processorPort } },
  }),
);
await gateway.allowRelay();
const server = parts.use(
  await startPlainMailServer({ name: "mail.contoso.test", address: `${net}.2.1` }),
);
const relayServer = parts.use(
  await startPlainMailServer({ name: "relay.contoso.test", address: `${net}.2.2` }),
);
await gateway.setRoutes([
  exampleRoute("contoso.test", {
    server: server.address,
    outbound: "standard",
    relayServer: { host: relayServer.address, port: 25, tls: "opportunistic" },
  }),
]);

/**
 * A processor for the host: hands the bytes of each session on to where they have to come back, with a header
 * field in front of each message. `EHLO` tells the direction.
 */
const processor = `
  const net = require("node:net");
  net.createServer((gateway) => {
    let back;
    gateway.write("220 processor\\r\\n");
    gateway.once("data", (hello) => {
      const inbound = String(hello).includes("smtp-in.gateway.test");
      back = net.connect(inbound ? ${RETURN_PORTS.inbound} : ${RETURN_PORTS.relay}, "127.0.0.1");
      back.once("data", () => {
        back.write(hello);
        let data = false;
        back.on("data", (reply) => {
          data ||= String(reply).includes("354 ");
          gateway.write(reply);
        });
        gateway.on("data", (chunk) => {
          if (data) back.write("X-Processed: " + (inbound ? "in" : "out") + "\\r\\n");
          data = false;
          back.write(chunk);
        });
      });
      gateway.on("end", () => back.end());
      back.on("end", () => gateway.end());
      back.on("error", () => gateway.destroy());
    });
    gateway.on("error", () => back?.destroy());
  }).listen(${processorPort}, "127.0.0.1");
`;

const content = "Subject: x\r\n\r\nHello";

/** As the agent does for a slot that is taken away. */
async function closeSlot(): Promise<void> {
  const map = `lmdb:${HOST_PATHS.maps}/${SESSIONS_MAP}`;
  await gateway.host.run(["postmap", "-r", "-i", map], { input: sessionsSource("mark") });
}

test("mail waits for the processor, and then passes it once on its way, in and out, from a closed slot, too", async () => {
  const client = { localAddress: `${net}.4.1` };
  const inbound = { sender: "alice@sender.test", recipient: "bob@contoso.test" };
  const outbound = { sender: "bob@contoso.test", recipient: "alice@sender.test" };
  expect(await deliver({ ...client, address: gateway.inbound }, inbound, content)).toMatch(/^250 /);
  expect(await deliver({ ...client, address: gateway.relay }, outbound, content)).toMatch(/^250 /);
  const deferred = () => gateway.postfix("inbound", "postqueue", "-j");
  await expect.poll(deferred).toContain('"queue_name": "deferred"');
  expect([server.messages, relayServer.messages]).toEqual([[], []]);

  await closeSlot();
  await using refused = await openSession({ ...client, address: gateway.inbound });
  expect(refused.greeting).toMatch(/^421 /);

  await gateway.host.write("/opt/processor.cjs", processor);
  await gateway.host.run(["sh", "-c", "node /opt/processor.cjs >/tmp/processor 2>&1 &"]);
  await expect
    .poll(() => gateway.host.exec(["bash", "-c", `exec 3<>/dev/tcp/127.0.0.1/${processorPort}`]), {
      timeout: 10_000,
    })
    .toMatchObject({ exitCode: 0 });
  await gateway.postfix("inbound", "postqueue", "-f");
  await gateway.postfix("relay", "postqueue", "-f");
  await expect.poll(() => server.messages.length).toBe(1);
  await expect.poll(() => relayServer.messages.length).toBe(1);
  for (const [{ messages }, direction] of [
    [server, "in"],
    [relayServer, "out"],
  ] as const) {
    const text = messages[0]?.wire.toString() ?? "";
    expect(text.match(/^X-Processed: .*$/gm)).toEqual([`X-Processed: ${direction}`]);
    expect(text.match(/^X-Gateway-\w+-Pass: .*$/gm)).toHaveLength(1);
    expect(text.match(/^Received: /gm)).toHaveLength(2);
    expect(text.endsWith("Subject: x\r\n\r\nHello\r\n")).toBe(true);
  }
});

test.for(Object.values(RETURN_PORTS))("nobody outside the host reaches port %i", async (port) => {
  for (const address of [gateway.inbound, gateway.relay]) {
    const options = { address, port, localAddress: `${net}.4.1` };
    const envelope = { sender: "a@sender.test", recipient: "b@other.test" };
    await expect(deliver(options, envelope, content)).rejects.toThrow("ECONNREFUSED");
  }
});
