/**
 * A provider with one small kind of resource, for the tests of the protocol. A toy is a file in the folder
 * `TOY_WORLD`. What the provider is asked to do is written to `calls.log` there, a line a call, and the
 * process that creates a toy to `pid`.
 */
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { z } from "zod";
import { mxheroProvider } from "../mxhero.ts";
import { type Call, type ResourceKind, Unfinished } from "../resource.ts";
import { serve } from "./server.ts";

const world = process.env["TOY_WORLD"] ?? "";

const inputs = z.strictObject({
  name: z.string().regex(/^[a-z]+$/, { error: ({ input }) => `"${input}" is not a name` }),
  size: z.number().default(1),
  tags: z.array(z.string()).exactOptional(),
  login: z.strictObject({ user: z.string(), password: z.string() }).exactOptional(),
  /** `half`: create does half of it. `slow`: create and delete wait until they are told to stop. `fail`: nothing works. */
  mode: z.enum(["half", "slow", "fail"]).exactOptional(),
});
const outputs = z.object({ ...inputs.shape, done: z.boolean(), shout: z.string() });

type Inputs = z.output<typeof inputs>;
type Outputs = z.output<typeof outputs>;

const path = (name: string) => join(world, `${name}.toy`);
const note = (line: string) => appendFileSync(join(world, "calls.log"), `${line}\n`);
const stateOf = (toy: Inputs, done: boolean): Outputs => ({
  ...toy,
  done,
  shout: toy.name.toUpperCase(),
});

function store(state: Outputs): Outputs {
  writeFileSync(path(state.name), JSON.stringify(state));
  return state;
}

async function untilStopped(call: Call): Promise<void> {
  call.progress("waiting");
  try {
    await sleep(60_000, undefined, { signal: call.signal });
  } catch {
    note("stopped");
  }
}

function refuse({ login }: Inputs): never {
  const cause = new Error(`login ${JSON.stringify(login)}`);
  throw Object.assign(new Error(`The toy broke with ${login?.password}.`, { cause }), {
    fix: "Mend it.",
  });
}

const toy: ResourceKind<Inputs, Outputs> = {
  type: "mxhero:index:Toy",
  inputs,
  outputs,

  diff(old, news) {
    const changes = (["size", "tags", "login", "mode"] as const)
      .filter((key) => JSON.stringify(old[key]) !== JSON.stringify(news[key]))
      .map((key) => ({ path: key, kind: "update" as const }));
    if (old.name === news.name) return changes;
    return [{ path: "name", kind: "update", replace: true }, ...changes];
  },

  async create(news, call) {
    note(`create ${news.name}${call.preview ? " (preview)" : ""}`);
    if (news.mode === "fail") refuse(news);
    writeFileSync(join(world, "pid"), String(process.pid));
    const state = stateOf(news, news.mode === undefined);
    if (call.preview) return { id: news.name, outputs: { shout: state.shout } };
    for (const line of ["one", "two", "three"]) call.info(`${line} of ${news.login?.password}`);
    store(state);
    if (news.mode === "slow") await untilStopped(call);
    if (!state.done) throw new Unfinished(news.name, state, [`half of ${news.login?.password}`]);
    return { id: news.name, outputs: state };
  },

  async read(id, old) {
    note(`read ${id}${old === undefined ? " (import)" : ""}`);
    if (!existsSync(path(id))) return undefined;
    const state = outputs.parse(JSON.parse(readFileSync(path(id), "utf8")));
    if (!state.done) throw new Unfinished(id, state, ["still half"]);
    const { done: _, shout: __, ...found } = state;
    return { inputs: found, outputs: state };
  },

  async update(id, _old, news, call) {
    note(`update ${id}${call.preview ? " (preview)" : ""}`);
    return call.preview ? {} : store(stateOf(news, true));
  },

  async delete(id, old, call) {
    note(`delete ${id}`);
    if (old.mode === "slow") await untilStopped(call);
    rmSync(path(id), { force: true });
  },
};

await serve(mxheroProvider({ [toy.type]: async () => toy }));
