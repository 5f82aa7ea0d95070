/** How much one client may hand in at smtp-relay in a minute, where the agent counts. By real sessions. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { exampleRoute, type FleetWorld, startFleetWorld } from "../lab/hosts/fleet-world.ts";
import { testNet as net } from "../lab/test-net.ts";

/** Far below the defaults: with more messages than leave, Postfix waits a second before each (in_flow_delay). */
const clientLimits = { messages: 20, recipients: 200 };

let world: FleetWorld;

beforeAll(async () => {
  world = await startFleetWorld({ net, slots: 1, clientLimits });
  const identities = [{ kind: "network", network: `${net}.2.0/24` }] as const;
  await world.fleet.activate([exampleRoute("sends.test", { identities })]);
}, 240_000);

afterAll(() => world?.[Symbol.asyncDispose]());

/** Says all of these lines at once, from an address of the tenant's, and gives the replies to the recipients. */
async function sayAll(host: number, lines: readonly string[]): Promise<string[]> {
  await using session = await world.toRelay("a", `2.${host}`);
  session.write(lines.map((line) => `${line}\r\n`).join(""));
  const replies: string[] = [];
  for (const line of lines) {
    const reply = await session.reply();
    if (line.startsWith("RCPT")) replies.push(reply);
  }
  return replies;
}

const from = "MAIL FROM:<a@sends.test>";
const to = (number: number) => `RCPT TO:<x${number}@outside.test>`;

function refused(replies: readonly string[]): string[] {
  return replies.filter((reply) => !reply.startsWith("250 "));
}

test("messages in a minute: more of them are put off, and other clients never feel it", async () => {
  const message = [from, to(0), "RSET"];
  const messages = Array.from({ length: clientLimits.messages }, () => message);
  expect(refused(await sayAll(1, messages.flat()))).toEqual([]);
  expect(await sayAll(1, message)).toEqual([
    expect.stringMatching(/^450 4\.7\.1 .*too much mail in a minute/),
  ]);
  expect(refused(await sayAll(2, message))).toEqual([]);
});

test("recipients in a minute: more of them are put off, and other clients never feel it", async () => {
  const all = Array.from({ length: clientLimits.recipients }, (_, number) => to(number));
  expect(refused(await sayAll(3, [from, ...all]))).toEqual([]);
  expect(await sayAll(3, [from, to(0)])).toEqual([
    expect.stringMatching(/^450 4\.7\.1 .*too many recipients in a minute/),
  ]);
  expect(refused(await sayAll(4, [from, to(0)]))).toEqual([]);
});
