/** For tests: a route store in an emulated AWS account. */
import { mkdtempDisposable } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Moto, startMoto } from "../lab/aws/moto.ts";
import { createRouteTable, type LabRouteStore } from "../lab/aws/route-table.ts";
import { testNet } from "../lab/test-net.ts";
import { RouteStore } from "./route-store.ts";

export interface TestStore extends AsyncDisposable {
  readonly moto: Moto;
  readonly options: LabRouteStore;
  readonly store: RouteStore;
  /** A further client of the same store, as another process has one. */
  connect(): RouteStore;
}

/** Starts an account of its own for the test file, with an empty store. */
export async function startTestStore(): Promise<TestStore> {
  await using parts = new AsyncDisposableStack();
  const { path } = parts.use(await mkdtempDisposable(join(tmpdir(), "store-")));
  const moto = parts.use(await startMoto({ address: `${testNet}.5.1`, directory: path }));
  const options = await createRouteTable(moto);
  // The SDK looks for credentials there.
  Object.assign(process.env, moto.env);
  const store = parts.use(new RouteStore(options));
  const owned = parts.move();
  return {
    moto,
    options,
    store,
    connect: () => owned.use(new RouteStore(options)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}
