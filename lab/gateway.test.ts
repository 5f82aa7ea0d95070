import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createAuthority } from "./certificates.ts";
import { startGateway } from "./gateway.ts";
import { startMailSystem } from "./mail-system.ts";
import { composeMessage } from "./message.ts";
import { transact } from "./smtp-client.ts";
import { testNet as net } from "./test-net.ts";

const slots = [`${net}.1.1`, `${net}.1.2`];

/** A gateway with two slots, and a mail system of contoso.test behind it. */
async function startExample() {
  await using parts = new AsyncDisposableStack();
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "lab-")));
  const authority = await createAuthority(directory.path);
  const gateway = parts.use(
    await startGateway({
      name: "smtp-in.gateway.test",
      addresses: slots,
      certificate: await authority.issue("smtp-in.gateway.test"),
      resolver: `${net}.0.1`,
    }),
  );
  const system = parts.use(
    await startMailSystem({
      name: "mail.contoso.test",
      address: `${net}.2.1`,
      certificate: await authority.issue("mail.contoso.test"),
      domains: ["contoso.test"],
    }),
  );
  return { gateway, system, parts: parts.move() };
}

function deliver(address: string | undefined, recipient: string) {
  const sender = "alice@sender.test";
  return transact({
    address: address ?? "",
    localAddress: `${net}.4.1`,
    name: "mx.sender.test",
    sender,
    recipient,
    content: composeMessage({ id: "m-1", from: sender, to: recipient, subject: "Hello" }),
  });
}

test.for(slots)(
  "slot %s passes mail on to the domain's Server, from its own address",
  async (slot) => {
    const { gateway, system, parts } = await startExample();
    await using _ = parts;
    gateway.routes.set("contoso.test", { server: system.address });
    expect((await deliver(slot, "bob@contoso.test")).outcome).toBe("delivered");
    expect(system.messages).toMatchObject([
      {
        id: "m-1",
        sender: "alice@sender.test",
        clientAddress: slot,
        path: ["smtp-in.gateway.test", "mail.contoso.test"],
      },
    ]);
  },
);

test("it knows nothing of a domain without a route", async () => {
  const { gateway, parts } = await startExample();
  await using _ = parts;
  const refused = { outcome: "permanent", reply: expect.stringMatching(/^550 5\.7\.1 /) };
  expect(await deliver(slots[0], "bob@contoso.test")).toMatchObject(refused);
  gateway.routes.set("contoso.test", { server: `${net}.2.1` });
  expect(await deliver(slots[0], "bob@sub.contoso.test")).toMatchObject(refused);
});

test("recipients that the route does not list are refused", async () => {
  const { gateway, system, parts } = await startExample();
  await using _ = parts;
  gateway.routes.set("contoso.test", { server: system.address, recipients: ["bob@contoso.test"] });
  expect((await deliver(slots[0], "bob@contoso.test")).outcome).toBe("delivered");
  expect((await deliver(slots[0], "carol@contoso.test")).reply).toMatch(/^550 5\.1\.1 /);
});

test("the client gets the Server's own answer; a Server that is down is a temporary failure", async () => {
  const { gateway, system, parts } = await startExample();
  await using _ = parts;
  gateway.routes.set("contoso.test", { server: system.address });
  system.lockTo([]);
  expect((await deliver(slots[0], "bob@contoso.test")).reply).toMatch(/^550 5\.7\.51 /);
  gateway.routes.set("contoso.test", { server: `${net}.2.99` });
  expect((await deliver(slots[0], "bob@contoso.test")).reply).toMatch(/^451 4\.4\.1 /);
});

test("a Server that is the gateway itself is a loop, and ends with 5.4.6", async () => {
  const { gateway, parts } = await startExample();
  await using _ = parts;
  gateway.routes.set("contoso.test", { server: `${net}.1.2` });
  expect(await deliver(slots[0], "bob@contoso.test")).toMatchObject({
    outcome: "permanent",
    reply: expect.stringMatching(/^554 5\.4\.6 /),
  });
});
