/**
 * The control interface over HTTP, for programs other than the one that started the emulator.
 *
 * | request | does |
 * | --- | --- |
 * | `GET /lab/requests`, `GET /lab/commits`, `DELETE /lab/logs` | the logs |
 * | `GET /lab/zones`, `POST /lab/zones` (`ZoneSpec`), `DELETE /lab/zones/{id}` | zones |
 * | `GET`, `PUT /lab/zones/{id}/records` (list of `RecordSpec`) | snapshot, seed |
 * | `POST /lab/zones/{id}/edit` (`Edit`) | someone else's edit |
 * | `POST /lab/tokens` (`TokenSpec`), `PATCH /lab/tokens/{token}` | tokens |
 * | `GET /lab/faults`, `POST /lab/faults` (`Fault`), `DELETE /lab/faults[/{id}]` | faults |
 * | `GET /lab/settled` | answers when delayed propagation is done |
 *
 * Types are those of `types.ts`. Unknown fields are errors (400).
 */
import { type Context, Hono } from "hono";
import { z } from "zod";
import type { Emulator } from "./emulator.ts";

const record = z.strictObject({
  name: z.string(),
  type: z.string(),
  content: z.string(),
  ttl: z.number().exactOptional(),
  priority: z.number().exactOptional(),
  data: z.record(z.string(), z.union([z.string(), z.number()])).exactOptional(),
  proxied: z.boolean().exactOptional(),
  comment: z.string().exactOptional(),
  tags: z.array(z.string()).exactOptional(),
  readOnly: z.boolean().exactOptional(),
});

const edit = z.strictObject({
  remove: z.array(record.pick({ name: true, type: true, content: true })).exactOptional(),
  add: z.array(record).exactOptional(),
});

const zone = z.strictObject({
  name: z.string(),
  status: z.enum(["initializing", "pending", "active", "moved"]).exactOptional(),
  type: z.enum(["full", "partial", "secondary"]).exactOptional(),
  plan: z.enum(["free", "pro", "business", "enterprise"]).exactOptional(),
  account: z.string().exactOptional(),
  nameServers: z.array(z.string()).exactOptional(),
  signedBroken: z.boolean().exactOptional(),
});

const tokenChange = z.strictObject({
  name: z.string().exactOptional(),
  zones: z.union([z.literal("all"), z.array(z.string())]).exactOptional(),
  permissions: z.array(z.enum(["zone:read", "dns:read", "dns:write"])).exactOptional(),
  status: z.enum(["active", "disabled", "expired"]).exactOptional(),
});
const token = tokenChange.extend({ name: z.string() });

const occasion = {
  match: z
    .strictObject({
      kind: z.enum(["read", "write"]).exactOptional(),
      method: z.string().exactOptional(),
      path: z.string().exactOptional(),
      token: z.string().exactOptional(),
    })
    .exactOptional(),
  skip: z.int().min(0).exactOptional(),
  times: z.union([z.int().min(1), z.literal("always")]).exactOptional(),
};
const milliseconds = z.int().min(0);

const fault = z.discriminatedUnion("fault", [
  z.strictObject({
    fault: z.literal("rate-limited"),
    retryAfter: z.number().exactOptional(),
    ...occasion,
  }),
  z.strictObject({
    fault: z.enum(["error-before-commit", "error-after-commit"]),
    ...occasion,
  }),
  z.strictObject({
    fault: z.enum(["dropped-before-commit", "dropped-after-commit"]),
    ...occasion,
  }),
  z.strictObject({
    fault: z.enum(["token-expired", "token-read-only", "zone-missing"]),
    ...occasion,
  }),
  z.strictObject({ fault: z.literal("slow"), milliseconds, ...occasion }),
  z.strictObject({ fault: z.literal("piecemeal"), milliseconds, ...occasion }),
  z.strictObject({
    fault: z.literal("lagging-server"),
    server: z.int().min(0),
    milliseconds,
    ...occasion,
  }),
]);

const done = { done: true };

export function createControl(emulator: Emulator): Hono {
  const control = new Hono().basePath("/lab");
  addStateRoutes(control, emulator);
  addSwitchRoutes(control, emulator);
  control.get("/settled", async (c) => {
    await emulator.settled();
    return c.json(done);
  });
  control.onError((error, c) => c.json({ error: error.message }, 400));
  return control;
}

function addStateRoutes(control: Hono, emulator: Emulator): void {
  control.get("/zones", (c) => {
    const zones = [...emulator.zones.values()];
    return c.json(zones.map(({ id, name, status, account }) => ({ id, name, status, account })));
  });
  control.post("/zones", async (c) => c.json({ id: await emulator.addZone(await parse(c, zone)) }));
  control.delete("/zones/:id", async (c) => {
    await emulator.removeZone(c.req.param("id"));
    return c.json(done);
  });
  control.get("/zones/:id/records", (c) => c.json(emulator.zone(c.req.param("id")).snapshot()));
  control.put("/zones/:id/records", async (c) => {
    await emulator.seed(c.req.param("id"), await parse(c, z.array(record)));
    return c.json(done);
  });
  control.post("/zones/:id/edit", async (c) => {
    await emulator.edit(c.req.param("id"), await parse(c, edit));
    return c.json(done);
  });
  control.post("/tokens", async (c) =>
    c.json({ token: emulator.tokens.add(await parse(c, token)) }),
  );
  control.patch("/tokens/:token", async (c) => {
    emulator.tokens.update(c.req.param("token"), await parse(c, tokenChange));
    return c.json(done);
  });
}

function addSwitchRoutes(control: Hono, emulator: Emulator): void {
  const { switches } = emulator;
  control.get("/requests", (c) => c.json(emulator.requests));
  control.get("/commits", (c) => c.json(emulator.commits));
  control.delete("/logs", (c) => {
    emulator.clearLogs();
    return c.json(done);
  });
  control.get("/faults", (c) => c.json(switches.faults()));
  control.post("/faults", async (c) => {
    const { id } = switches.addFault(await parse(c, fault));
    return c.json({ id });
  });
  control.delete("/faults", (c) => {
    switches.clear();
    return c.json(done);
  });
  control.delete("/faults/:id", (c) => {
    if (!switches.remove(c.req.param("id"))) throw new Error("no such fault");
    return c.json(done);
  });
}

async function parse<T>(c: Context, schema: z.ZodType<T>): Promise<T> {
  const parsed = schema.safeParse(await c.req.json());
  if (parsed.success) return parsed.data;
  throw new Error(z.prettifyError(parsed.error));
}
