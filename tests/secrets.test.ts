/** Tokens appear nowhere: not in what is printed, not in the state, not in the stack file. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { failed, mx, startTenantLab, succeeded, type TenantLab, txt } from "./tenant.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: TenantLab;

beforeAll(async () => {
  lab = await startTenantLab();
});

afterAll(() => lab[Symbol.asyncDispose]());

function addZone(name: string) {
  return lab.addZone(name, [mx(name, 10, `mail.${name}`), txt(name, `v=spf1 a:mail.${name} -all`)]);
}

test("a token that is a secret of the stack", async () => {
  const { cloudflare } = lab.world;
  const zone = await addZone("stored.test");
  const before = zone.snapshot();
  const token = cloudflare.addToken({ name: "stored", zones: [zone.id] });
  const stack = await lab.addStack("stored", { domains: [{ name: "stored.test" }] });
  await succeeded(stack.run(["config", "set", "--secret", "mxhero:apiToken", token]));
  const options = { env: { CLOUDFLARE_API_TOKEN: undefined } };

  cloudflare.clearLogs();
  const runs = [
    await succeeded(stack.preview(["--debug", "--diff"], options)),
    await succeeded(stack.up(["--debug"], options)),
  ];
  cloudflare.updateToken(token, { status: "expired" });
  runs.push(await failed(stack.refresh(["--debug"], options)));
  cloudflare.updateToken(token, { status: "active" });
  const state = await lab.storedState();
  runs.push(await succeeded(stack.destroy(["--debug"], options)));
  expect(new Set(cloudflare.requests.map((request) => request.token))).toEqual(new Set(["stored"]));
  expect(zone.snapshot()).toEqual(before);

  const file = join(lab.project.directory, "stacks", "Pulumi.stored.yaml");
  expect(await readFile(file, "utf8")).toContain("mxhero:apiToken:\n    secure: ");
  expect(state).toContain("stored.test");
  expect(runs.map((run) => run.text).join("")).toContain("debug: ");
  for (const text of [...runs.map((run) => run.text), state, await readFile(file, "utf8")]) {
    expect(text).not.toContain(token);
  }
});

test("tokens of the environment, also a named one", async () => {
  const { cloudflare, zoneIds } = lab.world;
  const zone = await addZone("environment.test");
  const token = cloudflare.addToken({ name: "own", zones: [zone.id] });
  const named = cloudflare.addToken({ name: "named", zones: [zoneIds.get("fabrikam.test") ?? ""] });
  const stack = await lab.addStack("environment", {
    domains: [
      { name: "environment.test" },
      { name: "fabrikam.test", credential: "partner", outbound: "none" },
    ],
  });
  const env = { CLOUDFLARE_API_TOKEN: token, CLOUDFLARE_API_TOKEN_PARTNER: named };
  cloudflare.clearLogs();
  const runs = [await succeeded(stack.up(["--debug"], { env }))];
  cloudflare.updateToken(named, { permissions: ["zone:read", "dns:read"] });
  runs.push(await failed(stack.destroy(["--debug"], { env })));
  cloudflare.updateToken(named, { permissions: ["zone:read", "dns:write"] });
  const state = await lab.storedState();
  runs.push(await succeeded(stack.destroy(["--debug"], { env })));
  const used = new Set(cloudflare.requests.map((request) => request.token));
  expect(used).toEqual(new Set(["own", "named"]));
  expect(state).toContain("environment.test");
  for (const text of [...runs.map((run) => run.text), state]) {
    expect(text).not.toContain(token);
    expect(text).not.toContain(named);
  }
});

test("a relay password is told from one in clear, and not shown", async () => {
  const password = "correct-horse-battery-staple";
  const stack = await lab.addStack("relay", { domains: [{ name: "relay.test" }] });
  const path = ["--path", "mail:relayPasswords.relay", password];
  await succeeded(stack.run(["config", "set", "--secret", ...path]));
  const encrypted = await failed(stack.preview(["--debug"]));
  const file = join(lab.project.directory, "stacks", "Pulumi.relay.yaml");
  expect(await readFile(file, "utf8")).not.toContain(password);
  await succeeded(stack.run(["config", "set", "--plaintext", ...path]));
  const plain = await failed(stack.preview());
  // The gateway of the lab is given by its host names, so that it has no use for a password.
  const useless = "config mail:relayPasswords: It has no effect";
  const inClear = "config mail:relayPasswords: Passwords stand in the file in clear";
  expect(encrypted.text).toContain(useless);
  expect(encrypted.text).not.toContain(inClear);
  expect(plain.text).toContain(inClear);
  for (const { text } of [encrypted, plain]) expect(text).not.toContain(password);
});
