/** For tests: one gateway host with real Postfix, the bundled agent, and a store in an emulated AWS account. */
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type CertificateAuthority, createAuthority } from "../../lab/certificates.ts";
import { type Host, startHost } from "../../lab/hosts/host.ts";
import { testNet } from "../../lab/test-net.ts";
import { startTestStore, type TestStore } from "../../store/test-store.ts";
import { writeAgent } from "../bundle.ts";
import { HEALTH_PORT, HOST_PATHS } from "../host-config.ts";
import type { Health } from "./monitor.ts";

export interface TestHost extends AsyncDisposable {
  readonly lab: TestStore;
  readonly host: Host;
  readonly authority: CertificateAuthority;
  /** The private addresses, bound by Postfix. */
  readonly inbound: string;
  readonly relay: string;
  /** What the agent says of itself; `undefined` while it does not answer. */
  health(): Promise<Health | undefined>;
  /** The unit's verb, e.g. `restart`. */
  service(verb: string): Promise<void>;
  /** What is in a map, by key. */
  lookUp(map: string, key: string): Promise<string | undefined>;
}

const folder = "/opt/mxhero-gateway";
const unit = fileURLToPath(new URL("mxhero-gateway.service", import.meta.url));

/** @param env of the host, besides what reaches the store */
export async function startTestHost(env: Readonly<Record<string, string>> = {}): Promise<TestHost> {
  await using parts = new AsyncDisposableStack();
  const lab = parts.use(await startTestStore());
  const directory = parts.use(await mkdtempDisposable(join(tmpdir(), "agent-"))).path;
  const authority = await createAuthority(directory);
  const { key, cert } = await authority.issue("smtp-in.gateway.test");
  await lab.store.putSecret("tls/certificate", cert);
  await lab.store.putSecret("tls/key", key);
  await writeAgent(join(directory, "agent.js"));
  const inside = testNet.replace("127.", "10.");
  const [inbound, relay] = [`${inside}.1.1`, `${inside}.1.2`];
  const host = parts.use(
    await startHost({
      name: "a",
      directory,
      addresses: [
        { private: inbound, public: `${testNet}.1.1` },
        { private: relay, public: `${testNet}.1.2` },
      ],
      resolver: `${testNet}.0.1`,
      env: { ...lab.moto.env, ...env },
      binds: {
        [`${folder}/agent.js`]: join(directory, "agent.js"),
        [`${folder}/node`]: process.execPath,
      },
    }),
  );
  const config = {
    slot: "a",
    gateway: "example",
    smtpIn: "smtp-in.gateway.test",
    smtpRelay: "smtp-relay.gateway.test",
    inbound: { address: inbound, publicAddress: `${testNet}.1.1` },
    relay: { address: relay, publicAddress: `${testNet}.1.2` },
    store: {
      table: lab.options.table,
      region: lab.options.region,
      secretPrefix: lab.options.secretPrefix,
    },
    bundle: "0".repeat(64),
    nextHops: "private",
    networkTls: { certificateSecret: "tls/certificate", keySecret: "tls/key" },
  };
  await host.write(HOST_PATHS.configuration, JSON.stringify(config));
  await host.write("/etc/systemd/system/mxhero-gateway.service", await readFile(unit, "utf8"));
  const service = async (verb: string) => {
    await host.run(["systemctl", verb, "mxhero-gateway"], { timeout: 120 });
  };
  await host.run([`${folder}/node`, `${folder}/agent.js`, "install"], { timeout: 120 });
  await service("start");
  const owned = parts.move();
  return {
    lab,
    host,
    authority,
    inbound,
    relay,
    service,
    health: async () => {
      const url = `http://127.0.0.1:${HEALTH_PORT}/health`;
      const { stdout } = await host.exec(["curl", "--silent", "--max-time", "5", url]);
      return stdout === "" ? undefined : JSON.parse(stdout);
    },
    lookUp: async (map, name) => {
      const file = `lmdb:${HOST_PATHS.maps}/${map}`;
      const command = ["postmap", "-c", HOST_PATHS.inboundInstance, "-q", name, file];
      const { exitCode, stdout } = await host.exec(command);
      return exitCode === 0 ? stdout : undefined;
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
