import { describe, expect, test } from "vitest";
import { readSettings, SettingsError, tokenFor, tokenVariable } from "./settings.ts";

describe("readSettings", () => {
  test("has defaults for everything", () => {
    expect(readSettings({}, {})).toEqual({
      apiTokens: new Map(),
      waitSeconds: 600,
      cloudflareShare: 0.8,
      abandonedQueues: [],
      uncoveredSlots: [],
      outboundStopped: [],
      handBackConfirmed: [],
      inboundGivenUp: [],
      gatewayConfirmed: [],
    });
  });

  test("takes stack configuration, where all is a string", () => {
    const settings = readSettings(
      {
        apiToken: "one",
        apiTokens: '{"partner-a":"two"}',
        cloudflareBaseUrl: "https://api.example.com/client/v4",
        resolvers: '["192.0.2.53"]',
        waitSeconds: "30",
        cloudflareShare: "0.5",
      },
      {},
    );
    expect(settings).toMatchObject({
      apiToken: "one",
      cloudflareBaseUrl: "https://api.example.com/client/v4",
      resolvers: ["192.0.2.53"],
      waitSeconds: 30,
      cloudflareShare: 0.5,
    });
    expect(tokenFor(settings, "partner-a")).toBe("two");
  });

  test("takes what gives something up from the environment only, for it is said for one run", () => {
    for (const key of ["uncoveredSlots", "abandonedQueues", "outboundStopped"]) {
      expect(() => readSettings({ [key]: '["a"]' }, {})).toThrow(key);
    }
    const said = {
      MXHERO_UNCOVERED_SLOTS: "a",
      MXHERO_ABANDONED_QUEUES: "b, c",
      MXHERO_OUTBOUND_STOPPED: "Contoso.test, bücher.test",
    };
    expect(readSettings({}, said)).toMatchObject({
      uncoveredSlots: ["a"],
      abandonedQueues: ["b", "c"],
      outboundStopped: ["contoso.test", "xn--bcher-kva.test"],
    });
    expect(() => readSettings({}, { MXHERO_OUTBOUND_STOPPED: "contoso" })).toThrow(
      "MXHERO_OUTBOUND_STOPPED",
    );
  });

  test("takes domains that are handed back on the administrator's word, as people write them", () => {
    const settings = readSettings(
      {},
      { MXHERO_HAND_BACK_CONFIRMED: "Contoso.com, bücher.example" },
    );
    expect(settings.handBackConfirmed).toEqual(["contoso.com", "xn--bcher-kva.example"]);
    const gateway = readSettings({}, { MXHERO_GATEWAY_CONFIRMED: "contoso.com" });
    expect(gateway.gatewayConfirmed).toEqual(["contoso.com"]);
    const faulty = { MXHERO_HAND_BACK_CONFIRMED: "contoso..com" };
    expect(() => readSettings({}, faulty)).toThrow("MXHERO_HAND_BACK_CONFIRMED[0]");
  });

  test("takes the values of a program as they are", () => {
    const settings = readSettings(
      { apiTokens: { a: "one" }, resolvers: ["::1"], waitSeconds: 5 },
      {},
    );
    expect(settings).toMatchObject({ resolvers: ["::1"], waitSeconds: 5 });
    expect(tokenFor(settings, "a")).toBe("one");
  });

  test("prefers the environment, and takes an empty variable for unset", () => {
    const configured = {
      apiToken: "old",
      apiTokens: { "partner-a": "old", b: "kept" },
      cloudflareBaseUrl: "https://old.example.com",
      resolvers: ["192.0.2.1"],
      waitSeconds: 1,
      cloudflareShare: 1,
    };
    const settings = readSettings(configured, {
      CLOUDFLARE_API_TOKEN: "new",
      CLOUDFLARE_API_TOKEN_PARTNER_A: "new-a",
      CLOUDFLARE_API_TOKEN_B: "",
      CLOUDFLARE_BASE_URL: "http://127.1.0.20:8787/client/v4",
      MXHERO_RESOLVERS: "127.1.0.1, 127.2.0.1",
      MXHERO_WAIT_SECONDS: "2.5",
      MXHERO_CLOUDFLARE_SHARE: "0.4",
    });
    expect(settings).toMatchObject({
      cloudflareBaseUrl: "http://127.1.0.20:8787/client/v4",
      resolvers: ["127.1.0.1", "127.2.0.1"],
      waitSeconds: 2.5,
      cloudflareShare: 0.4,
    });
    expect(tokenFor(settings)).toBe("new");
    expect(tokenFor(settings, "partner-a")).toBe("new-a");
    expect(tokenFor(settings, "b")).toBe("kept");
    expect(tokenFor(settings, "c")).toBeUndefined();
  });

  test("reports all faults of configuration and environment, and quotes no value", () => {
    const configured = {
      apiToken: 12345,
      cloudflareBaseUrl: "ftp://secret.example",
      sort: "secret",
    };
    const env = { MXHERO_RESOLVERS: "dns.example.com", MXHERO_WAIT_SECONDS: "secret" };
    const read = () => readSettings(configured, env);
    expect(read).toThrow(SettingsError);
    expect(read).toThrow(/apiToken: .*cloudflareBaseUrl: .*"sort".*MXHERO_RESOLVERS.*MXHERO_WAIT/);
    expect(read).not.toThrow(/12345|secret|dns\.example/);
  });

  test("refuses a token that no HTTP header can carry, and quotes no part of it", () => {
    const configured = { apiToken: "secret one", apiTokens: { a: "secret\n" } };
    const env = { CLOUDFLARE_API_TOKEN: "secr\u00e9t", CLOUDFLARE_API_TOKEN_B: "two\nsecret" };
    const read = () => readSettings(configured, env);
    expect(read).toThrow(/apiToken: .*apiTokens\.a: .*CLOUDFLARE_API_TOKEN: .*_TOKEN_B: .*blank/);
    expect(read).not.toThrow(/secr/);
  });

  test("refuses names of credentials that share a variable", () => {
    const apiTokens = { "a-b": "one", A_B: "two" };
    expect(() => readSettings({ apiTokens }, {})).toThrow(
      "apiTokens: two names share one environment variable",
    );
  });
});

test("tokenVariable names the variable of a credential", () => {
  expect(tokenVariable()).toBe("CLOUDFLARE_API_TOKEN");
  expect(tokenVariable("partner-a")).toBe("CLOUDFLARE_API_TOKEN_PARTNER_A");
});
