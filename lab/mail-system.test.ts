import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { createAuthority } from "./certificates.ts";
import { startMailSystem } from "./mail-system.ts";
import { composeMessage } from "./message.ts";
import { transact } from "./smtp-client.ts";
import { testNet as net } from "./test-net.ts";

const name = "mail.contoso.test";
const address = `${net}.2.1`;
const localAddress = `${net}.4.1`;

async function startExample(recipients?: readonly string[]) {
  await using directory = await mkdtempDisposable(join(tmpdir(), "lab-"));
  const authority = await createAuthority(directory.path);
  const certificate = await authority.issue(name);
  const domains = ["contoso.test"];
  const known = recipients === undefined ? {} : { recipients };
  const system = await startMailSystem({ name, address, certificate, domains, ...known });
  return { system, authority };
}

function deliver(recipient: string, more: { from?: string; verify?: Verify } = {}) {
  const sender = "alice@sender.test";
  return transact({
    address,
    localAddress: more.from ?? localAddress,
    name: "mx.sender.test",
    sender,
    recipient,
    content: composeMessage({ id: "m-1", from: sender, to: recipient, subject: "Hello" }),
    ...(more.verify === undefined ? {} : { verify: more.verify }),
  });
}

type Verify = { readonly host: string; readonly ca: string };

test("it keeps what it receives, with the envelope, the client and the path", async () => {
  const { system } = await startExample();
  await using _ = system;
  expect((await deliver("bob@contoso.test")).outcome).toBe("delivered");
  expect(system.messages).toMatchObject([
    {
      id: "m-1",
      sender: "alice@sender.test",
      recipients: ["bob@contoso.test"],
      clientAddress: localAddress,
      path: [name],
    },
  ]);
  expect(system.messages[0]?.content).toContain("\r\nSubject: Hello\r\n");
});

test("it refuses other domains and, where they are given, unknown recipients", async () => {
  const { system } = await startExample(["bob@contoso.test"]);
  await using _ = system;
  expect((await deliver("BOB@contoso.test")).outcome).toBe("delivered");
  expect(await deliver("carol@contoso.test")).toMatchObject({
    outcome: "permanent",
    reply: expect.stringMatching(/^550 5\.1\.1 /),
  });
  expect(await deliver("bob@fabrikam.test")).toMatchObject({
    outcome: "permanent",
    reply: expect.stringMatching(/^550 5\.7\.1 /),
  });
  expect(system.messages).toHaveLength(1);
});

test("locked to some clients, it refuses all others with 5.7.51 until it is opened", async () => {
  const { system } = await startExample();
  await using _ = system;
  system.lockTo([`${net}.1.1`]);
  expect(await deliver("bob@contoso.test")).toMatchObject({
    outcome: "permanent",
    reply: expect.stringMatching(/^550 5\.7\.51 /),
  });
  const fromGateway = await deliver("bob@contoso.test", { from: `${net}.1.1` });
  expect(fromGateway.outcome).toBe("delivered");
  system.lockTo(undefined);
  expect((await deliver("bob@contoso.test")).outcome).toBe("delivered");
});

test.for(["mail", "recipient", "data"] as const)(
  "it refuses at the step %s with the chosen reply until told otherwise",
  async (step) => {
    const { system } = await startExample();
    await using _ = system;
    system.refuse(step, "451 4.3.2 Try later");
    const refused = { outcome: "temporary", reply: "451 4.3.2 Try later" };
    expect(await deliver("bob@contoso.test")).toEqual(refused);
    system.refuse(step, "552 5.2.2 Mailbox full");
    expect((await deliver("bob@contoso.test")).outcome).toBe("permanent");
    system.refuse(step, undefined);
    expect((await deliver("bob@contoso.test")).outcome).toBe("delivered");
    expect(system.messages).toHaveLength(1);
  },
);

test("a refused connection and a host that does not listen are temporary", async () => {
  const { system } = await startExample();
  {
    await using _ = system;
    system.refuse("connect", "554 5.3.2 Closed");
    expect((await deliver("bob@contoso.test")).outcome).toBe("temporary");
  }
  const { outcome, reply } = await deliver("bob@contoso.test");
  expect(outcome).toBe("temporary");
  expect(reply).toContain("ECONNREFUSED");
});

test("its certificate holds for its own name only", async () => {
  const { system, authority } = await startExample();
  await using _ = system;
  const ca = authority.cert;
  const verified = await deliver("bob@contoso.test", { verify: { host: name, ca } });
  expect(verified.outcome).toBe("delivered");
  const other = await deliver("bob@contoso.test", { verify: { host: "other.test", ca } });
  expect(other.outcome).toBe("temporary");
  expect(system.messages[0]?.content).toContain("with ESMTPS");
});
