/** The rendered configuration is one that the real Postfix starts with. */
import { expect, test } from "vitest";
import { openSession } from "../../lab/smtp-dialogue.ts";
import { testNet as net } from "../../lab/test-net.ts";
import { startPostfixHost } from "../../tests/postfix-host.ts";
import { HOST_PATHS } from "../host-config.ts";

test("both instances start, find nothing to say against their configuration, and answer", async () => {
  await using gateway = await startPostfixHost({ net });
  const { host, inbound, relay } = gateway;
  for (const directory of [HOST_PATHS.inboundInstance, HOST_PATHS.relayInstance]) {
    const check = await host.exec(["postconf", "-c", directory, "-n"]);
    expect(check.stderr).toBe("");
    expect(await host.exec(["postconf", "-c", directory, "-Mf"])).toMatchObject({ stderr: "" });
  }
  const localAddress = `${net}.4.1`;
  const ports = [
    { address: inbound, port: 25, name: "smtp-in.gateway.test" },
    { address: relay, port: 25, name: "smtp-relay.gateway.test" },
    { address: relay, port: 587, name: "smtp-relay.gateway.test" },
  ];
  for (const { address, port, name } of ports) {
    await using session = await openSession({ address, port, localAddress });
    await session.startTls();
    expect(session.offers).toContain(`250-${name}\n`);
    expect(session.offers).not.toMatch(/VRFY|ETRN|AUTH/);
    expect(await session.say("VRFY root")).toMatch(/^502 5\.5\.1 /);
    expect(await session.say("ETRN contoso.test")).toMatch(/^5/);
  }
  const logs = (await gateway.log("inbound")) + (await gateway.log("relay"));
  expect(logs).toContain("daemon started");
  expect(logs.split("\n").filter((line) => /warning|error|fatal|panic/.test(line))).toEqual([]);
});
