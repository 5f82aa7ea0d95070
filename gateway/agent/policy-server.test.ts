/** The policy service over a real socket, as Postfix and others speak to it. */
import { once } from "node:events";
import { mkdtempDisposable, stat } from "node:fs/promises";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as fc from "fast-check";
import { expect, test } from "vitest";
import { formatAnswer, parseRequest, RequestReader } from "./policy-protocol.ts";
import { type PolicyServerOptions, startPolicyServer, UNDECIDED } from "./policy-server.ts";

/** As Postfix 3.7.11 sends it; see SMTPD_POLICY_README. */
const request = `request=smtpd_access_policy
protocol_state=RCPT
protocol_name=ESMTP
client_address=192.0.2.7
client_name=mail.contoso.test
client_port=40001
reverse_client_name=mail.contoso.test
server_address=10.0.1.2
server_port=25
helo_name=mail.contoso.test
sender=info@contoso.test
recipient=someone@outside.test
recipient_count=0
queue_id=
instance=1b5.6a1.0
size=0
etrn_domain=
stress=
sasl_method=
sasl_username=
sasl_sender=
ccert_subject=
ccert_issuer=
ccert_fingerprint=AB:CD
ccert_pubkey_fingerprint=
encryption_protocol=TLSv1.3
encryption_cipher=TLS_AES_256_GCM_SHA384
encryption_keysize=256
policy_context=

`;

async function start(options: Partial<PolicyServerOptions> = {}) {
  await using parts = new AsyncDisposableStack();
  const { path } = parts.use(await mkdtempDisposable(join(tmpdir(), "policy-")));
  const socket = join(path, "policy.sock");
  const faults: unknown[] = [];
  const onFault = (error: unknown) => faults.push(error);
  parts.use(await startPolicyServer({ socket, decide: () => "OK", onFault, ...options }));
  const owned = parts.move();
  return { socket, faults, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

/** Writes and collects all answers until the service closes or as many have come. */
async function talk(socket: Socket, text: string, answers: number): Promise<string> {
  socket.setEncoding("utf8");
  socket.write(text);
  let said = "";
  for await (const chunk of socket) {
    said += String(chunk);
    if (said.split("\n\n").length > answers) break;
  }
  return said;
}

test("each request of a connection has its answer, in order", async () => {
  await using service = await start({ decide: ({ sender }) => `550 5.7.1 not ${sender}` });
  const requests = ["a@x.test", "b@x.test", ""].map((sender) =>
    request.replace("info@contoso.test", sender),
  );
  const said = await talk(connect(service.socket), requests.join(""), 3);
  expect(said).toBe(
    "action=550 5.7.1 not a@x.test\n\naction=550 5.7.1 not b@x.test\n\naction=550 5.7.1 not \n\n",
  );
});

test("what is decided on is what Postfix said", () => {
  expect(parseRequest(request.trim())).toEqual({
    sender: "info@contoso.test",
    recipient: "someone@outside.test",
    clientAddress: "192.0.2.7",
    instance: "1b5.6a1.0",
    context: "",
    fingerprint: "ab:cd",
  });
});

test("a decision that throws is answered with 451, and the connection goes on", async () => {
  let count = 0;
  await using service = await start({
    decide: () => {
      count += 1;
      if (count === 1) throw new Error("broken");
      return "OK";
    },
  });
  const said = await talk(connect(service.socket), request + request, 2);
  expect(said).toBe(`action=${UNDECIDED}\n\naction=OK\n\n`);
  expect(service.faults).toEqual([new Error("broken")]);
});

test.each([
  ["garbage", "GET / HTTP/1.1\nHost: x\n\n"],
  ["another request", request.replace("smtpd_access_policy", "junk")],
  ["another state", request.replace("protocol_state=RCPT", "protocol_state=DATA")],
  ["no client", request.replace("client_address=192.0.2.7\n", "")],
])("%s is answered with 451", async (_name, text) => {
  await using service = await start();
  expect(await talk(connect(service.socket), text, 1)).toBe(`action=${UNDECIDED}\n\n`);
  expect(service.faults).toHaveLength(1);
});

test("a request without end is cut off, and others are served meanwhile", async () => {
  await using service = await start();
  const endless = connect(service.socket);
  const ended = talk(endless, `a=${"x".repeat(200_000)}`, 1);
  const slow = connect(service.socket);
  slow.write(request.slice(0, 50));
  expect(await talk(connect(service.socket), request, 1)).toBe("action=OK\n\n");
  expect(await ended).toBe(`action=${UNDECIDED}\n\n`);
  expect(await talk(slow, request.slice(50), 1)).toBe("action=OK\n\n");
});

test("a connection without requests is closed", async () => {
  await using service = await start({ idleMilliseconds: 20 });
  const idle = connect(service.socket);
  idle.resume();
  await once(idle, "close");
  expect(idle.destroyed).toBe(true);
});

test("a socket that a killed agent left behind is in nobody's way", async () => {
  await using first = await start();
  await using second = await startPolicyServer({
    socket: first.socket,
    decide: () => "DUNNO",
    onFault: () => undefined,
  });
  expect(second).toBeDefined();
  expect(await talk(connect(first.socket), request, 1)).toBe("action=DUNNO\n\n");
  expect((await stat(first.socket)).mode & 0o777).toBe(0o222);
});

test("requests are found however the bytes are cut", () => {
  fc.assert(
    fc.property(fc.array(fc.nat(request.length * 2)), (cuts) => {
      const text = request + request;
      const points = [0, ...cuts.toSorted((a, b) => a - b), text.length];
      const reader = new RequestReader();
      const found = points.slice(1).flatMap((end, at) => reader.read(text.slice(points[at], end)));
      expect(found).toEqual([request.trimEnd(), request.trimEnd()]);
    }),
  );
});

test("an answer stays one line", () => {
  fc.assert(
    fc.property(fc.string(), (action) => {
      expect(formatAnswer(action)).toMatch(/^action=[^\n\r]*\n\n$/);
    }),
  );
});
