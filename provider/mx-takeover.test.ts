/** `MxTakeover` on the lab's emulator and name servers: what only shows with a real zone. */
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { z } from "zod";
import type { RecordSpec } from "../lab/cloudflare/index.ts";
import { startTestLab, type TestLab } from "../lab/cloudflare/test-lab.ts";
import { testNet } from "../lab/test-net.ts";
import { mxTakeover } from "./mx-takeover.ts";
import {
  type MxTakeoverInputs,
  mxTakeoverInputs,
  mxTakeoverOutputs,
} from "./mx-takeover-schema.ts";
import type { Call } from "./resource.ts";
import { readSettings } from "./settings.ts";

let lab: TestLab;
let zone: string;

beforeAll(async () => {
  lab = await startTestLab();
  zone = await lab.cloudflare.addZone({ name: "contoso.test" });
  await lab.dns.host("smtp-in.gateway.test", `${testNet}.1.1`);
});

afterAll(() => lab.dispose());

function startCall() {
  const warn = vi.fn<Call["warn"]>();
  const call: Call = {
    urn: "urn:pulumi:contoso::mail::mxhero:index:MxTakeover::contoso.test",
    preview: false,
    signal: new AbortController().signal,
    settings: readSettings(
      {},
      {
        CLOUDFLARE_API_TOKEN: lab.operator,
        CLOUDFLARE_BASE_URL: lab.cloudflare.url,
        MXHERO_RESOLVERS: lab.dns.resolver,
        MXHERO_WAIT_SECONDS: "3",
      },
    ),
    info: () => undefined,
    warn,
    progress: () => undefined,
  };
  return { call, warn };
}

const inputsOf = (inputs: Partial<MxTakeoverInputs>): MxTakeoverInputs =>
  mxTakeoverInputs.parse({
    organisation: "contoso",
    domain: "contoso.test",
    mx: [{ exchange: "smtp-in.gateway.test", preference: 10 }],
    server: "mail.contoso.test",
    overlapSeconds: 0,
    handBackConfirmed: true,
    ...inputs,
  });

const mx = (name: string, content: string, priority = 10): RecordSpec => ({
  name,
  type: "MX",
  content,
  priority,
});

const mxAt = (name: string) =>
  lab.cloudflare
    .snapshot(zone)
    .filter((record) => record.type === "MX" && record.name === name)
    .map(({ content }) => content);

async function takeOver(inputs: MxTakeoverInputs) {
  const { outputs } = await mxTakeover.create(inputs, startCall().call);
  return mxTakeoverOutputs.parse(outputs);
}

test.each<[string, string, RecordSpec | undefined, string[]]>([
  ["nothing else", "sub.contoso.test", undefined, []],
  [
    "a record below the domain",
    "sub.contoso.test",
    { name: "_dmarc.sub.contoso.test", type: "TXT", content: '"v=DMARC1; p=none"' },
    ["mail.contoso.test"],
  ],
  [
    "a record between the domain and the wildcard",
    "a.sub.contoso.test",
    { name: "sub.contoso.test", type: "A", content: "192.0.2.1" },
    ["mail.contoso.test"],
  ],
])(
  "copies of a wildcard's MX go only where it answers again: %s",
  async (_, domain, added, left) => {
    const seeded = [mx("*.contoso.test", "mail.contoso.test")];
    await lab.cloudflare.seed(zone, seeded);
    const held = await takeOver(inputsOf({ domain }));
    expect(mxAt(domain)).toEqual(["smtp-in.gateway.test"]);
    if (added !== undefined) {
      await add(added);
    }
    await mxTakeover.delete(domain, held, startCall().call);
    expect(mxAt(domain)).toEqual(left);
    expect(lab.cloudflare.snapshot(zone).some(({ name }) => name.includes("_mxhero"))).toBe(false);
  },
);

const gatewayMx = (exchange: string) => [{ exchange, preference: 10 }];

test("a gateway host of before is known until it is gone, even after an update that failed", async () => {
  await lab.cloudflare.seed(zone, [
    mx("contoso.test", "mail.contoso.test"),
    mx("contoso.test", "smtp-in.gateway.test"),
  ]);
  const held = await takeOver(inputsOf({}));
  const news = inputsOf({ mx: gatewayMx("mx2.gateway.test") });
  await lab.dns.host("mx2.gateway.test", `${testNet}.1.2`);
  lab.cloudflare.addFault({ fault: "token-read-only", times: "always" });
  const failed: unknown = await mxTakeover
    .update("contoso.test", held, news, startCall().call)
    .catch((error: unknown) => error);
  lab.cloudflare.clearFaults();
  const { outputs } = z.object({ outputs: mxTakeoverOutputs }).parse(failed);
  expect(outputs.knownMx).toEqual(gatewayMx("smtp-in.gateway.test"));

  const update = await mxTakeover.update("contoso.test", outputs, news, startCall().call);
  expect(mxAt("contoso.test")).toEqual(["mx2.gateway.test"]);
  expect(update).toMatchObject({ before: gatewayMx("mail.contoso.test") });
  expect(update).not.toHaveProperty("knownMx");
});

test("an inactive domain is not moved to the gateway; one that is there may change its targets", async () => {
  await lab.cloudflare.seed(zone, [mx("contoso.test", "mail.contoso.test")]);
  const inactive = inputsOf({ inactive: true });
  await expect(takeOver(inactive)).rejects.toMatchObject({ code: "inactive-takeover" });
  expect(lab.cloudflare.snapshot(zone)).toHaveLength(1);

  const held = await takeOver(inputsOf({}));
  await lab.dns.host("mx3.gateway.test", `${testNet}.1.3`);
  const news = inputsOf({ inactive: true, mx: gatewayMx("mx3.gateway.test") });
  await mxTakeover.update("contoso.test", held, news, startCall().call);
  expect(mxAt("contoso.test")).toEqual(["mx3.gateway.test"]);

  const bypass = { ...news, bypass: true };
  const passed = await mxTakeover.update("contoso.test", held, bypass, startCall().call);
  expect(mxAt("contoso.test")).toEqual(["mail.contoso.test"]);
  const outputs = mxTakeoverOutputs.parse(passed);
  await expect(
    mxTakeover.update("contoso.test", outputs, news, startCall().call),
  ).rejects.toMatchObject({ code: "inactive-takeover" });
});

const add = (record: RecordSpec) =>
  lab.ask("POST", `/zones/${zone}/dns_records`, { ttl: 1, ...record });

async function importDomain() {
  const { call, warn } = startCall();
  const found = await mxTakeover.read("contoso.test", undefined, call);
  const outputs = mxTakeoverOutputs.parse(found?.outputs);
  // There is no mail system here that could be asked before a hand-back.
  return { inputs: found?.inputs, outputs: { ...outputs, handBackConfirmed: true }, warn };
}

describe("an import", () => {
  const apex = [mx("contoso.test", "mail.contoso.test")];
  test("takes only the MX with the gateway's comment; a person's stays after destroy", async () => {
    await lab.cloudflare.seed(zone, apex);
    await takeOver(inputsOf({}));
    await add(mx("contoso.test", "backup.example.com", 20));
    const { inputs, outputs, warn } = await importDomain();
    expect(inputs?.mx).toEqual(gatewayMx("smtp-in.gateway.test"));
    expect(warn).toHaveBeenCalledWith(expect.stringContaining("20 backup.example.com."));
    expect(warn).toHaveBeenCalledWith(expect.stringContaining(`claim ${outputs.claim}`));
    await mxTakeover.delete("contoso.test", { ...outputs, overlapSeconds: 0 }, startCall().call);
    expect(mxAt("contoso.test").toSorted()).toEqual(["backup.example.com", "mail.contoso.test"]);
  });

  test("of a domain whose Server is none of its former MX can be destroyed", async () => {
    await lab.cloudflare.seed(zone, apex);
    await takeOver(inputsOf({ server: "inner.contoso.test" }));
    const { outputs } = await importDomain();
    await mxTakeover.delete("contoso.test", { ...outputs, overlapSeconds: 0 }, startCall().call);
    expect(mxAt("contoso.test")).toEqual(["mail.contoso.test"]);
  });

  test("is refused where no MX has the comment, and while bypassed, with a way on", async () => {
    await lab.cloudflare.seed(zone, [...apex, mx("contoso.test", "smtp-in.gateway.test")]);
    const held = await takeOver(inputsOf({}));
    await expect(importDomain()).rejects.toMatchObject({
      code: "import-without-gateway-mx",
      fix: expect.stringContaining('"mxhero gateway: <exchange>"'),
    });
    await mxTakeover.update("contoso.test", held, inputsOf({ bypass: true }), startCall().call);
    await expect(importDomain()).rejects.toMatchObject({
      code: "import-without-gateway-mx",
      fix: expect.stringContaining("_mxhero.contoso.test"),
    });
  });
});

test("a preview says what answers now and what will: a held domain that inherited its MX", async () => {
  await lab.cloudflare.seed(zone, [mx("*.contoso.test", "mail.contoso.test")]);
  const held = await takeOver(inputsOf({ domain: "sub.contoso.test" }));
  const info = vi.fn<Call["info"]>();
  const call = { ...startCall().call, preview: true, info };
  const news = inputsOf({ domain: "sub.contoso.test", mx: gatewayMx("mx2.gateway.test") });
  const planned = await mxTakeover.update("sub.contoso.test", held, news, call);
  expect(planned.after).toEqual(gatewayMx("mx2.gateway.test"));
  expect(info).toHaveBeenCalledWith(
    expect.stringMatching(/: 10 smtp-in\.gateway\.test\..* → 10 mx2\.gateway\.test\.$/),
  );
});
