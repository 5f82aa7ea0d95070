/** The habits of mail servers that send, against real SMTP servers. */
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { DnsAnswer, DnsType, Resolver } from "../../mail/dns.ts";
import { type MailSystem, startMailSystem } from "../mail-system.ts";
import { composeMessage } from "../message.ts";
import { testNet as net } from "../test-net.ts";
import { createCachingResolver } from "./caching-resolver.ts";
import { labMilliseconds, recordSeconds, reuseSeconds } from "./clock.ts";
import { type Fate, MailServer, type MailServerOptions } from "./mail-server.ts";

const recipient = "info@contoso.test";
let systems: readonly MailSystem[];
/** Which of them the MX names. */
let mx: number;
let owned: AsyncDisposableStack;

beforeEach(async () => {
  owned = new AsyncDisposableStack();
  systems = await Promise.all(
    [1, 2].map(async (number) =>
      owned.use(
        await startMailSystem({ name: `mail${number}.test`, address: `${net}.2.${number}` }),
      ),
    ),
  );
  mx = 1;
});

afterEach(() => {
  vi.useRealTimers();
  return owned.disposeAsync();
});

const resolver: Resolver = async <T extends DnsType>(name: string, type: T) => {
  const answers: { [K in DnsType]?: DnsAnswer<K> } =
    name === "contoso.test"
      ? { MX: { status: "ok", records: [{ preference: 10, exchange: `mail${mx}.test` }] } }
      : { A: { status: "ok", records: [`${net}.2.${/\d/.exec(name)?.[0] ?? "9"}`] } };
  const answer: DnsAnswer<T> | undefined = answers[type];
  return answer ?? { status: "nodata", records: [] };
};

function mailServer(more: Partial<MailServerOptions> = {}): MailServer {
  const base = {
    name: "mx.sender.test",
    address: `${net}.4.1`,
    resolver,
    patienceSeconds: 432_000,
  };
  const server = new MailServer({ ...base, ...more });
  owned.defer(() => server.close());
  return server;
}

function send(server: MailServer, id: string, smarthost?: string): Promise<Fate> {
  const sender = "ann@sender.test";
  const content = composeMessage({ id, from: sender, to: recipient, subject: "x" });
  const letter = { sender, recipient, content };
  return server.send(letter, () => smarthost, new AbortController().signal);
}

/** The ids of what arrived at each system. */
function arrived(): string[][] {
  return systems.map(({ messages }) => messages.map(({ id }) => id));
}

/** The resolver, and what is to happen right before each attempt. They count from 1. */
function watched(onAttempt: (attempt: number) => void): Resolver {
  let attempts = 0;
  return (name, type) => {
    if (type === "MX") {
      attempts += 1;
      onAttempt(attempts);
    }
    return resolver(name, type);
  };
}

test("what is put off is tried again and arrives; what is refused is not tried again", async () => {
  const [first] = systems;
  first?.refuse("mail", "451 4.3.2 Try later");
  const patient = watched((attempt) => {
    if (attempt === 2) first?.refuse("mail", undefined);
  });
  expect(await send(mailServer({ resolver: patient }), "a")).toMatchObject({
    state: "taken",
    attempts: 2,
  });
  first?.refuse("recipient", "550 5.1.1 No such user");
  expect(await send(mailServer(), "b")).toMatchObject({
    state: "refused",
    attempts: 1,
    reply: "550 5.1.1 No such user",
  });
  expect(arrived()).toEqual([["a"], []]);
});

test("a server that has waited for longer than its patience gives up", async () => {
  systems[0]?.refuse("connect", "421 4.3.2 Busy");
  vi.useFakeTimers({ toFake: ["Date"] });
  const patienceSeconds = 600;
  const passing = watched((attempt) => {
    if (attempt > 1) vi.advanceTimersByTime(labMilliseconds(patienceSeconds / 2) + 1);
  });
  const hasty = mailServer({ patienceSeconds, resolver: passing });
  expect(await send(hasty, "a")).toMatchObject({ state: "given-up", attempts: 3 });
  expect(arrived()).toEqual([[], []]);
});

test("a resolver that keeps records leads to the former MX until their time is over", async () => {
  let now = 0;
  const keeping = createCachingResolver(resolver, labMilliseconds(recordSeconds), () => now);
  const server = mailServer({ resolver: keeping });
  await send(server, "before");
  mx = 2;
  await send(server, "kept");
  now = labMilliseconds(recordSeconds);
  await send(server, "after");
  expect(arrived()).toEqual([["before", "kept"], ["after"]]);
});

test("an open connection is used again, whatever DNS says by now, and not for ever", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  const server = mailServer({ reusesConnections: true });
  await send(server, "before");
  mx = 2;
  await send(server, "again");
  vi.advanceTimersByTime(labMilliseconds(reuseSeconds));
  await send(server, "after");
  expect(arrived()).toEqual([["before", "again"], ["after"]]);
});

test("a smarthost is asked for in place of the MX", async () => {
  expect(await send(mailServer(), "a", "mail2.test")).toMatchObject({ state: "taken" });
  expect(arrived()).toEqual([[], ["a"]]);
});
