/**
 * Serves an instance's metadata inside the host's network, until its input ends.
 *
 * The first line of its input is the `InstanceMetadata` as JSON; it prints `listening`.
 */
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createInterface } from "node:readline";
import { type InstanceMetadata, lookUp, metadataDocuments } from "./metadata.ts";

const tokens = new Set<string>();

function answer(
  documents: Record<string, string>,
  request: IncomingMessage,
  response: ServerResponse,
) {
  const path = request.url ?? "/";
  if (request.method === "PUT" && path === "/latest/api/token") {
    if (request.headers["x-aws-ec2-metadata-token-ttl-seconds"] === undefined) {
      response.writeHead(400).end();
      return;
    }
    const token = randomUUID();
    tokens.add(token);
    response.end(token);
    return;
  }
  // Version 1, without a token, is off: the gateway's instances demand version 2.
  if (!tokens.has(String(request.headers["x-aws-ec2-metadata-token"]))) {
    response.writeHead(401).end();
    return;
  }
  const found = path.startsWith("/latest/") ? lookUp(documents, path.slice(8)) : undefined;
  response.writeHead(found === undefined ? 404 : 200, { "content-type": "text/plain" }).end(found);
}

const input = createInterface({ input: process.stdin });
const [line] = await once(input, "line");
const instance: InstanceMetadata = JSON.parse(String(line));
const documents = metadataDocuments(instance);
const server = createServer((request, response) => answer(documents, request, response));
server.listen(80, "169.254.169.254", () => console.log("listening"));
await once(input, "close");
process.exit(0);
