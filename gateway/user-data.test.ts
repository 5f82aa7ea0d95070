import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { parseHostConfig } from "./host-config.ts";
import { renderUserData, type UserDataInput } from "./user-data.ts";

const input: UserDataInput = {
  host: {
    slot: "a",
    gateway: "example",
    smtpIn: "smtp-in.gateway.test",
    smtpRelay: "smtp-relay.gateway.test",
    inbound: { address: "10.20.0.10", publicAddress: "198.51.100.1" },
    relay: { address: "10.20.0.11", publicAddress: "198.51.100.2" },
    peers: [{ slot: "a", inboundAddress: "10.20.0.10" }],
    store: {
      table: "mxhero-gateway-example",
      region: "eu-central-1",
      secretPrefix: "/mxhero/example",
    },
    bundle: "0123456789abcdef".repeat(4),
    nextHops: "public",
    maximumMessageBytes: 157_286_400,
    networkTls: {
      certificateSecret: "tls/certificate",
      keySecret: "tls/key",
      expires: "2027-01-01T00:00:00.000Z",
    },
    logGroup: "/mxhero/example",
  },
  bundle: {
    bucket: "mxhero-gateway-example-1a2b3c",
    key: `${"0123456789abcdef".repeat(4)}.tar.gz`,
  },
  volumeId: "vol-0123456789abcdef0",
  volumeGiB: 20,
  certificate: Array.from({ length: 32 }, () => "ab").join(":"),
};

test("the script is the one that was reviewed", async () => {
  await expect(renderUserData(input)).toMatchFileSnapshot("testdata/user-data.sh");
});

test("bash takes it", () => {
  const script = renderUserData(input);
  const { status, stderr } = spawnSync("bash", ["-n"], { input: script, encoding: "utf8" });
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
});

test("the host's configuration in it is one that the host takes", () => {
  const [, text = ""] =
    /<<'CONFIGURATION'\n([^]*?)\nCONFIGURATION\n/.exec(renderUserData(input)) ?? [];
  expect(parseHostConfig(text)).toEqual(parseHostConfig(JSON.stringify(input.host)));
  expect(JSON.parse(text)).toEqual(input.host);
});

test("another endpoint of AWS is asked where one is given", () => {
  const store = { ...input.host.store, endpoint: "http://127.3.0.9:5000/" };
  const script = renderUserData({ ...input, host: { ...input.host, store } });
  expect(script).toContain(
    `http://127.3.0.9:5000/mxhero-gateway-example-1a2b3c/${input.bundle.key}`,
  );
  expect(script).not.toContain("s3.eu-central-1.amazonaws.com/mxhero-gateway-example");
});
