import { once } from "node:events";
import { createServer } from "node:http";
import { expect, test } from "vitest";
import { startSlowPath } from "./slow-path.ts";

/** A server that greets, and a way to it. */
async function greeting() {
  await using parts = new AsyncDisposableStack();
  const server = createServer((_request, response) => response.end("hello"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  parts.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  const bound = server.address();
  if (bound === null || typeof bound === "string") throw new Error("no port");
  const target = `http://127.0.0.1:${bound.port}`;
  const path = parts.use(await startSlowPath({ address: "127.0.0.1", port: 0, target }));
  const owned = parts.move();
  return { path, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

const ask = async (url: string) => (await fetch(url)).text();

test("a way is as fast as the server until it is made slow", async () => {
  await using world = await greeting();
  const { path } = world;
  expect(await ask(path.url)).toBe("hello");
  path.setDelay(300);
  const start = performance.now();
  expect(await ask(path.url)).toBe("hello");
  // There and back.
  expect(performance.now() - start).toBeGreaterThanOrEqual(590);
});

test("a way that is cut refuses, and serves again afterwards", async () => {
  await using world = await greeting();
  const { path } = world;
  path.cut(true);
  await expect(ask(path.url)).rejects.toThrow("fetch failed");
  path.cut(false);
  expect(await ask(path.url)).toBe("hello");
});
