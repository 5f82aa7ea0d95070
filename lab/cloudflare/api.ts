/** Cloudflare's v4 API over HTTP, as far as zones, DNS records and token verification go. */
import { Hono, type MiddlewareHandler } from "hono";
import { disturb, log } from "./disturbance.ts";
import type { Emulator } from "./emulator.ts";
import {
  ApiError,
  authentication,
  invalidBody,
  invalidToken,
  noRecord,
  noRoute,
  noZone,
  tooManyRequests,
  unauthorized,
  unknownToken,
} from "./errors.ts";
import {
  type ApiContext,
  type ApiEnvironment,
  basePath,
  failure,
  fault,
  success,
  successPage,
} from "./http.ts";
import { listRecords } from "./list.ts";
import { parseBody, recordBody, toJson } from "./record.ts";
import { type Allowance, allows } from "./tokens.ts";
import type { Permission } from "./types.ts";
import { type Applied, type Batch, batchBody, type Zone } from "./zone.ts";
import { listZones, zoneJson } from "./zone-list.ts";

const zonePath = "/zones/:zone{[0-9a-f]{32}}";
const recordsPath = `${zonePath}/dns_records`;
const recordPath = `${recordsPath}/:record{[0-9a-f]{32}}`;

export function createApi(emulator: Emulator): Hono<ApiEnvironment> {
  const api = new Hono<ApiEnvironment>().basePath(basePath);
  api.use(log(emulator), disturb, authenticate(emulator));
  api.get("/user/tokens/verify", verifyToken);
  addZoneRoutes(api, emulator);
  addRecordRoutes(api, emulator);
  return api;
}

/** How the API answers what its routes throw, and what has no route. */
export function answerFaults(app: Hono<ApiEnvironment>, emulator: Emulator): void {
  const chained = emulator.validationErrors === "chained";
  app.onError((error, c) => {
    if (!(error instanceof ApiError)) console.error(error);
    return failure(c, error, chained);
  });
  app.notFound((c) => failure(c, noRoute(c.req.path), chained));
}

function authenticate(emulator: Emulator): MiddlewareHandler<ApiEnvironment> {
  return async (c, next) => {
    const token = emulator.tokens.identify(c.req.header("authorization"));
    const verifies = c.req.path.endsWith("/user/tokens/verify");
    if (token === undefined && verifies) throw unknownToken();
    const expired = fault(c.get("effects"), "token-expired") !== undefined;
    const status = expired ? "expired" : token?.status;
    if (token === undefined || (status !== "active" && !verifies)) {
      throw c.req.path.includes("/dns_records") ? authentication() : invalidToken();
    }
    c.set("token", { ...token, status: status ?? "active" });
    keepToLimit(c, emulator.tokens.count(token));
    await next();
  };
}

/** Every answer tells what is left. @throws {ApiError} 429 with the seconds until more may be asked */
function keepToLimit(c: ApiContext, { limit, exceeded, remaining, resetsIn }: Allowance): void {
  c.header("ratelimit", `"default";r=${remaining};t=${resetsIn}`);
  c.header("ratelimit-policy", `"default";q=${limit.requests};w=${limit.seconds}`);
  if (exceeded) throw tooManyRequests(limit.requests, limit.seconds, resetsIn);
}

function verifyToken(c: ApiContext) {
  const { id, status } = c.get("token");
  const active = { code: 10000, message: "This API Token is valid and active", type: null };
  return success(c, { id, status }, status === "active" ? [active] : []);
}

function addZoneRoutes(api: Hono<ApiEnvironment>, emulator: Emulator): void {
  api.get("/zones", (c) => {
    const missing = fault(c.get("effects"), "zone-missing");
    const zones = [...emulator.zones.values()].filter(
      ({ id }) => !missing && allows(c.get("token"), id, "zone:read"),
    );
    return successPage(c, listZones(zones, query(c)), zoneJson);
  });
  api.get(zonePath, (c) => {
    const id = c.req.param("zone");
    if (!allows(c.get("token"), id, "zone:read")) throw unauthorized();
    const zone = findZone(c, emulator, id);
    if (zone === undefined) throw noZone();
    return success(c, zoneJson(zone));
  });
}

function addRecordRoutes(api: Hono<ApiEnvironment>, emulator: Emulator): void {
  const zoneOf = (c: ApiContext, permission: Permission) => {
    const id = c.req.param("zone") ?? "";
    const readOnly = permission === "dns:write" && fault(c.get("effects"), "token-read-only");
    if (readOnly || !allows(c.get("token"), id, permission)) throw authentication();
    const zone = findZone(c, emulator, id);
    if (zone === undefined) throw noRoute(c.req.path);
    return zone;
  };
  const change = (c: ApiContext, batch: (body: unknown) => Batch): Promise<Applied> => {
    const zone = zoneOf(c, "dns:write");
    const { request, effects } = c.var;
    return emulator.apply(zone, batch(request.body), request, effects);
  };

  api.get(recordsPath, (c) => {
    const zone = zoneOf(c, "dns:read");
    return successPage(c, listRecords(zone.records.values(), query(c)), toJson);
  });
  api.get(recordPath, (c) => {
    const record = zoneOf(c, "dns:read").records.get(c.req.param("record"));
    if (record === undefined) throw noRecord();
    return success(c, toJson(record));
  });
  api.post(recordsPath, async (c) => {
    const { posts } = await change(c, (body) => ({ posts: [parseBody(recordBody, body)] }));
    return success(c, posts.map(toJson)[0]);
  });
  api.patch(recordPath, async (c) => {
    const id = c.req.param("record");
    const { patches } = await change(c, (body) => ({
      patches: [{ ...parseBody(recordBody.partial(), body), id }],
    }));
    return success(c, patches.map(toJson)[0]);
  });
  api.put(recordPath, async (c) => {
    const id = c.req.param("record");
    const { puts } = await change(c, (body) => ({
      puts: [{ ...parseBody(recordBody, body), id }],
    }));
    return success(c, puts.map(toJson)[0]);
  });
  api.delete(recordPath, async (c) => {
    const id = c.req.param("record");
    await change(c, () => ({ deletes: [{ id }] }));
    return success(c, { id });
  });
  api.post(`${recordsPath}/batch`, async (c) => {
    const applied = await change(c, (body) => {
      if (body === undefined) throw invalidBody("It is not JSON.");
      return parseBody(batchBody, body);
    });
    return success(c, batchJson(applied));
  });
}

function batchJson({ deletes, patches, puts, posts }: Applied): object {
  return {
    deletes: deletes.map(toJson),
    patches: patches.map(toJson),
    puts: puts.map(toJson),
    posts: posts.map(toJson),
  };
}

function findZone(c: ApiContext, emulator: Emulator, id: string): Zone | undefined {
  return fault(c.get("effects"), "zone-missing") ? undefined : emulator.zones.get(id);
}

function query(c: ApiContext): URLSearchParams {
  return new URL(c.req.url).searchParams;
}
