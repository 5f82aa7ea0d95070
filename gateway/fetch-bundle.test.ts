/** The part of the user data that fetches the bundle, with the real bash and curl, against servers of the test. */
import { createHash, createHmac } from "node:crypto";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { exampleConfig } from "../config/example-gateway.ts";
import { planGateway } from "../config/gateway-plan.ts";
import { slotUserData } from "../config/slot-user-data.ts";

const secretKey = "se/cret+KEY=1";
const credentials = {
  Code: "Success",
  AccessKeyId: "ASIAEXAMPLE",
  SecretAccessKey: secretKey,
  Token: "tok/en+=abc==",
};
const archive = "an archive";
const sha256 = createHash("sha256").update(archive).digest("hex");

const parts = new AsyncDisposableStack();
let directory: string;
let url: string;
let asked: { readonly path: string; readonly headers: IncomingMessage["headers"] }[];

beforeAll(async () => {
  directory = parts.use(await mkdtempDisposable(join(tmpdir(), "fetch-"))).path;
  const server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  parts.defer(() => {
    server.close();
  });
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === "object" ? address?.port : ""}`;
});

beforeEach(() => {
  asked = [];
});

afterAll(() => parts.disposeAsync());

/** The metadata service, which wants a token, and S3. */
function answer({ method, url: path = "", headers }: IncomingMessage, response: ServerResponse) {
  const role = "/latest/meta-data/iam/security-credentials/";
  if (method === "PUT" && path === "/latest/api/token") return response.end("token-1");
  if (path.startsWith("/latest/") && headers["x-aws-ec2-metadata-token"] !== "token-1") {
    return response.writeHead(401).end();
  }
  if (path === role) return response.end("gateway");
  if (path === `${role}gateway`) return response.end(JSON.stringify(credentials, undefined, 2));
  asked.push({ path, headers });
  return response.end(archive);
}

async function fetchBundle(bundle: string) {
  const plan = planGateway({ ...exampleConfig, awsEndpoint: url });
  const script = slotUserData(plan, "a", {
    inbound: "10.20.0.10",
    relay: "10.20.0.11",
    publicInbound: "198.51.100.1",
    publicRelay: "198.51.100.2",
    volumeId: "vol-0123456789abcdef0",
    bucket: "bundles",
    bundleKey: `${sha256}.tar.gz`,
    bundle,
    certificate: "00",
    expires: "2027-01-01T00:00:00.000Z",
  });
  const [fetching = ""] = /^metadata\(\) [^]*sha256sum -c --quiet\n}\n/m.exec(script) ?? [];
  expect(fetching).not.toBe("");
  const here = fetching
    .replaceAll("http://169.254.169.254", url)
    .replaceAll("/opt/mxhero-gateway", directory);
  const file = join(directory, "fetch.sh");
  await writeFile(file, `set -euo pipefail\n${here}fetch_bundle\n`);
  return execa("bash", ["-x", file], { reject: false });
}

function hash(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function mac(key: string | Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}

/** Signature Version 4 (docs.aws.amazon.com: Create a signed AWS API request), for a GET without a query. */
function signatureOf(path: string, headers: IncomingMessage["headers"], names: readonly string[]) {
  const date = String(headers["x-amz-date"]);
  const scope = [date.slice(0, 8), "eu-central-1", "s3", "aws4_request"];
  const lines = names.map((name) => `${name}:${String(headers[name])}\n`).join("");
  const payload = String(headers["x-amz-content-sha256"]);
  const request = ["GET", path, "", lines, names.join(";"), payload].join("\n");
  const text = ["AWS4-HMAC-SHA256", date, scope.join("/"), hash(request)].join("\n");
  let key: string | Buffer = `AWS4${secretKey}`;
  for (const part of scope) key = mac(key, part);
  return mac(key, text).toString("hex");
}

test("the bundle is asked for with a signature that S3 takes", async () => {
  const { exitCode } = await fetchBundle(sha256);
  expect(exitCode).toBe(0);
  expect(await readFile(join(directory, "bundle.tar.gz"), "utf8")).toBe(archive);
  const [{ path, headers } = { path: "", headers: {} }] = asked;
  expect(path).toBe(`/bundles/${sha256}.tar.gz`);
  const authorization =
    /Credential=ASIAEXAMPLE\/\d{8}\/eu-central-1\/s3\/aws4_request, SignedHeaders=(\S+), Signature=(\w+)$/;
  const [, signed = "", signature] = authorization.exec(headers.authorization ?? "") ?? [];
  const names = signed.split(";");
  // S3 answers 400 without the hash of the body, and 403 if the token is not signed.
  expect(names).toEqual(["host", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"]);
  expect(headers["x-amz-security-token"]).toBe(credentials.Token);
  expect(signature).toBe(signatureOf(path, headers, names));
});

test("another archive than the one expected is refused", async () => {
  const { exitCode } = await fetchBundle("0".repeat(64));
  expect(exitCode).not.toBe(0);
});
