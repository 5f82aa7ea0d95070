/** Proofs against mail systems of many kinds, each on a loopback address of its own. */
import { once } from "node:events";
import { mkdtempDisposable } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CertificateAuthority, createAuthority } from "../../lab/certificates.ts";
import { startMailSystem } from "../../lab/mail-system.ts";
import { testNet } from "../../lab/test-net.ts";
import type { RelayServer, Route, RouteProof } from "../../mail/route.ts";
import { recordOf, routeOf } from "../../mail/testdata/routes.ts";
import type { Prover } from "./proof-party.ts";
import { Proofs } from "./proofs.ts";
import { proveRoute } from "./prove-route.ts";

const own = new AsyncDisposableStack();
let authority: CertificateAuthority;
let address = 0;

beforeAll(async () => {
  const { path } = own.use(await mkdtempDisposable(`${tmpdir()}/proofs-`));
  authority = await createAuthority(path);
});
afterAll(() => own.disposeAsync());

function nextAddress(): string {
  address += 1;
  return `${testNet}.20.${address}`;
}

const passwords: Readonly<Record<string, string>> = { good: "s3cret", bad: "wrong" };

function prover(changes: Partial<Prover> = {}): Prover {
  return {
    inbound: { name: "smtp-in.gateway.test", address: `${testNet}.30.1` },
    relay: { name: "smtp-relay.gateway.test", address: `${testNet}.30.2` },
    fleetAddresses: async () => [`${testNet}.30.1`, `${testNet}.30.2`],
    nextHops: "private",
    authorities: authority.cert,
    readSecret: async (name) => {
      const value = passwords[name];
      if (value === undefined) throw new Error(`no ${name}`);
      return value;
    },
    connectMilliseconds: 500,
    replyMilliseconds: 500,
    ...changes,
  };
}

function route(changes: Partial<Route>): Route {
  return routeOf("contoso.test", { probeRecipient: "info@contoso.test", ...changes });
}

async function mailSystem(recipients?: readonly string[]) {
  return own.use(
    await startMailSystem({
      name: "mail.contoso.test",
      address: nextAddress(),
      certificate: await authority.issue("mail.contoso.test"),
      domains: ["contoso.test"],
      ...(recipients && { recipients }),
    }),
  );
}

/** A server that says these lines, one for each that it hears, or nothing more. */
async function scripted(lines: readonly string[]): Promise<string> {
  const host = nextAddress();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    let at = 0;
    const say = () => {
      const line = lines[at];
      at += 1;
      if (line !== undefined) socket.write(`${line}\r\n`);
    };
    say();
    socket.on("data", say);
  });
  server.listen(25, host);
  await once(server, "listening");
  own.defer(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return host;
}

const info = ["info@contoso.test"];

describe("the Server", () => {
  test("that accepts its recipient and refuses another one is proven", async () => {
    const { address: server } = await mailSystem(info);
    const found = await proveRoute(route({ server, rcptLookup: { kind: "probe" } }), prover());
    expect(found).toMatchObject({ verdict: "proven" });
    expect(found.steps.at(-1)?.outcome).toContain("550");
  });

  test("that accepts everyone makes Rcpt Lookup useless, and is fine without", async () => {
    const { address: server } = await mailSystem();
    expect(
      await proveRoute(route({ server, rcptLookup: { kind: "probe" } }), prover()),
    ).toMatchObject({ verdict: "failed", code: "proof-rcpt-lookup-without-effect" });
    expect(await proveRoute(route({ server }), prover())).toMatchObject({ verdict: "proven" });
  });

  test("that blocks the gateway's address says so", async () => {
    const system = await mailSystem(info);
    system.lockTo(["192.0.2.1"]);
    const found = await proveRoute(route({ server: system.address }), prover());
    expect(found).toMatchObject({ verdict: "failed", code: "proof-gateway-refused" });
    // From the slot's own inbound address.
    expect(found.steps.at(-1)?.outcome).toContain(
      `5.7.51 TenantInboundAttribution; Mail from ${testNet}.30.1`,
    );
  });

  test.each([
    [["421 4.3.2 busy"], "trying", "proof-refused-softly"],
    [["554 5.7.1 blocked"], "failed", "proof-gateway-refused"],
    [["SSH-2.0-OpenSSH"], "trying", "proof-host-silent"],
    [[], "trying", "proof-host-silent"],
    [["220 x", "250 x", "250 ok", "451 4.7.1 greylisted"], "trying", "proof-refused-softly"],
    [["220 x", "250 x", "250 ok", "550 5.1.1 who"], "failed", "proof-recipient-unknown"],
  ] as const)("that says %j", async (lines, verdict, code) => {
    const server = await scripted(lines);
    expect(await proveRoute(route({ server }), prover())).toMatchObject({ verdict, code });
  });

  test("that nobody answers for is unreachable, or blocked on the way", async () => {
    const refused = await proveRoute(route({ server: nextAddress() }), prover());
    expect(refused).toMatchObject({ verdict: "trying", code: "proof-host-unreachable" });
  });

  test("must not be the gateway, nor have a special address on a public gateway", async () => {
    expect(await proveRoute(route({ server: `${testNet}.30.2` }), prover())).toMatchObject({
      verdict: "failed",
      code: "proof-host-is-gateway",
    });
    const found = await proveRoute(route({ server: "10.1.2.3" }), prover({ nextHops: "public" }));
    expect(found).toMatchObject({ verdict: "failed", code: "proof-address-not-public" });
    expect(found.steps).toEqual([
      { action: "look up 10.1.2.3: 10.1.2.3", outcome: "10.1.2.3 is a private address (RFC 1918)" },
    ]);
  });
});

async function relay(
  options: SMTPServerOptions = {},
  certificateHost = "127.0.0.1",
): Promise<RelayServer> {
  const host = nextAddress();
  const { key, cert } = await authority.issue(certificateHost);
  const server = new SMTPServer({
    key,
    cert,
    disableReverseLookup: true,
    authOptional: true,
    onAuth: ({ username, password }, _session, done) =>
      username === "gw" && password === "s3cret"
        ? done(null, { user: username })
        : done(Object.assign(new Error("authentication failed"), { responseCode: 535 })),
    ...options,
  });
  server.on("error", () => undefined);
  await once(server.listen(2525, host), "listening");
  own.defer(() => new Promise<void>((resolve) => server.close(resolve)));
  return { host, port: 2525, tls: "required" };
}
function through(relayServer: RelayServer): Route {
  return route({ inbound: false, relayServer });
}
function login(secret: string) {
  return { user: "gw", secret, secretVersion: 1 };
}

describe("the Relay Server", () => {
  test("with a login that works is proven, and the steps hold no secret", async () => {
    const found = await proveRoute(through({ ...(await relay()), login: login("good") }), prover());
    expect(found).toMatchObject({ verdict: "proven" });
    const text = JSON.stringify(found.steps);
    expect(text).toContain("AUTH PLAIN as gw");
    expect(text).not.toContain("s3cret");
    expect(text).not.toContain(Buffer.from("\0gw\0s3cret").toString("base64"));
  });

  test("by LOGIN where there is no PLAIN", async () => {
    const server = await relay({ authMethods: ["LOGIN"] });
    const found = await proveRoute(through({ ...server, login: login("good") }), prover());
    expect(found).toMatchObject({ verdict: "proven" });
  });

  test("that refuses the login, or whose password cannot be read", async () => {
    const server = await relay();
    expect(await proveRoute(through({ ...server, login: login("bad") }), prover())).toMatchObject({
      verdict: "failed",
      code: "proof-login-refused",
    });
    expect(await proveRoute(through({ ...server, login: login("none") }), prover())).toMatchObject({
      verdict: "trying",
      code: "proof-secret-unreadable",
    });
  });

  test("without TLS, or with a certificate for another name, does for lower levels only", async () => {
    const plain = await relay({ disabledCommands: ["STARTTLS"] });
    expect(await proveRoute(through(plain), prover())).toMatchObject({
      code: "proof-tls-not-offered",
    });
    expect(await proveRoute(through({ ...plain, tls: "opportunistic" }), prover())).toMatchObject({
      verdict: "proven",
    });
    expect(
      await proveRoute(through({ ...plain, tls: "opportunistic", login: login("good") }), prover()),
    ).toMatchObject({ code: "proof-login-not-offered" });
    const other = await relay({}, "other.test");
    expect(await proveRoute(through({ ...other, tls: "verified" }), prover())).toMatchObject({
      verdict: "failed",
      code: "proof-certificate-not-valid",
    });
    expect(await proveRoute(through(other), prover())).toMatchObject({ verdict: "proven" });
  });
});

test("hung Servers of 60 tenants do not delay another one's proof", async () => {
  const hung = await scripted([]);
  const { address: server } = await mailSystem(info);
  const told = new Map<string, RouteProof>();
  using proofs = new Proofs({
    prove: (proposed) => proveRoute(proposed, prover({ replyMilliseconds: 60_000 })),
    onProof: (domain, proof) => told.set(domain, proof),
    knownProof: async () => undefined,
  });
  const propose = (domain: string, to: string) =>
    proofs.see({
      ...recordOf(routeOf(domain)),
      proposed: { version: 1, route: route({ domain, server: to }) },
    });
  for (let index = 0; index < 60; index += 1) propose(`hung${index}.test`, hung);
  propose("contoso.test", server);
  await expect.poll(() => told.get("contoso.test")?.verdict).toBe("proven");
  expect(told.size).toBe(1);
  expect(proofs.size).toBe(60);
});

test("transient answers are repeated until they pass, within a bound", async () => {
  const outcomes = ["trying", "trying", "proven"] as const;
  let attempts = 0;
  const told: RouteProof["verdict"][] = [];
  const make = (verdicts: readonly ("trying" | "proven")[]) =>
    new Proofs({
      prove: async () => {
        const verdict = verdicts[attempts] ?? "trying";
        attempts += 1;
        return {
          verdict,
          steps: [],
          ...(verdict === "trying" && { code: "proof-refused-softly" }),
        };
      },
      onProof: (_domain, { verdict }) => told.push(verdict),
      knownProof: async () => undefined,
      secondsToNextAttempt: () => 0,
    });
  const record = { ...recordOf(route({})), proposed: { version: 3, route: route({}) } };
  using proofs = make(outcomes);
  proofs.see(record);
  await expect.poll(() => told).toEqual(outcomes);
  told.length = 0;
  using endless = make([]);
  endless.see(record);
  await expect.poll(() => told.at(-1)).toBe("failed");
  expect(told.slice(0, -1).every((verdict) => verdict === "trying")).toBe(true);
});

test("a version that was withdrawn is tried no more", async () => {
  let attempts = 0;
  using proofs = new Proofs({
    prove: async () => {
      attempts += 1;
      return { verdict: "trying", steps: [] };
    },
    onProof: () => undefined,
    knownProof: async () => undefined,
    secondsToNextAttempt: () => 0.05,
  });
  const record = recordOf(route({}));
  proofs.see({ ...record, proposed: { version: 1, route: route({}) } });
  await expect.poll(() => attempts).toBeGreaterThan(1);
  proofs.see({ ...record, revision: 2 });
  const before = attempts;
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(attempts).toBeLessThanOrEqual(before + 1);
  expect(proofs.size).toBe(0);
});
