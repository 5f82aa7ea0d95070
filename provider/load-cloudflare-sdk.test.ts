import { mkdtempDisposable, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { loadCloudflareSdk } from "./load-cloudflare-sdk.ts";

const options = { apiToken: "a-token", baseURL: "http://127.0.0.1:1", maxRetries: 0 };

test("the SDK becomes one small file, which the next process finds", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "sdk-"));
  const cache = join(folder.path, "new");
  const { createCloudflare, APIError } = await loadCloudflareSdk(cache);
  const [name = "", ...others] = await readdir(cache);
  expect(others).toEqual([]);
  const file = join(cache, name);
  const content = await readFile(file, "utf8");
  expect(content.length).toBeLessThan(150_000);

  const client = createCloudflare(options);
  await expect(client.zones.list({ name: "contoso.test" })).rejects.toBeInstanceOf(APIError);

  // A process that finds a file takes that one.
  await using other = await mkdtempDisposable(join(tmpdir(), "sdk-"));
  await writeFile(join(other.path, name), `${content}\nexport const isFound = true;\n`);
  expect(await loadCloudflareSdk(other.path)).toHaveProperty("isFound", true);
  expect(await readdir(other.path)).toEqual([name]);
});

test.each(["", "export const createCloudf"])(
  "a damaged file (%j) is passed over, and goes",
  async (damaged) => {
    await using folder = await mkdtempDisposable(join(tmpdir(), "sdk-"));
    await loadCloudflareSdk(folder.path);
    const [name = ""] = await readdir(folder.path);
    await using other = await mkdtempDisposable(join(tmpdir(), "sdk-"));
    const file = join(other.path, name);
    await writeFile(file, damaged);
    const { createCloudflare } = await loadCloudflareSdk(other.path);
    expect(createCloudflare(options).zones).toBeDefined();
    expect(await readdir(other.path)).toEqual([]);
  },
);

test("where nothing can be kept, the SDK is loaded as it is", async () => {
  await using folder = await mkdtempDisposable(join(tmpdir(), "sdk-"));
  const file = join(folder.path, "a-file");
  await writeFile(file, "");
  const { createCloudflare, APIError } = await loadCloudflareSdk(join(file, "cache"));
  const client = createCloudflare(options);
  await expect(client.zones.list({ name: "contoso.test" })).rejects.toBeInstanceOf(APIError);
});
