/** The calls of the protocol that are about one resource. */
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import emptyPb from "google-protobuf/google/protobuf/empty_pb.js";
import type structPb from "google-protobuf/google/protobuf/struct_pb.js";
import { type Call, type Change, type ResourceKind, Unfinished } from "../resource.ts";
import { check } from "./check.ts";
import { changes } from "./diff.ts";
import type { Exchange } from "./exchange.ts";
import { PartlyDone } from "./failures.ts";
import { type Decoded, encode, type Path } from "./wire.ts";

export type AnyKind = ResourceKind<object, object>;

/** Kinds of resources by type token. A kind is loaded when it is first used. */
export type Kinds = Readonly<Record<string, () => Promise<AnyKind>>>;

export async function checkResource(
  kinds: Kinds,
  request: providerPb.CheckRequest,
  exchange: Exchange,
) {
  const kind = await kindOf(kinds, request.getUrn());
  const news = exchange.decode(request.getNews(), kind.secrets);
  const { faults, value = news.value } = check(kind.inputs, news);
  const response = new providerPb.CheckResponse();
  if (faults.length > 0) return response.setFailuresList(faults.map(checkFailure));
  return response.setInputs(encode(value, news.secrets));
}

export async function diffResource(
  kinds: Kinds,
  request: providerPb.DiffRequest,
  exchange: Exchange,
) {
  const kind = await kindOf(kinds, request.getUrn());
  const state = exchange.decode(request.getOlds());
  const news = exchange.decode(request.getNews(), kind.secrets);
  const found = changes(kind, state, parseState(kind, state), news);
  return diffResponse(found);
}

export async function createResource(
  kinds: Kinds,
  request: providerPb.CreateRequest,
  exchange: Exchange,
) {
  const kind = await kindOf(kinds, request.getUrn());
  const news = exchange.decode(request.getProperties(), kind.secrets);
  const response = new providerPb.CreateResponse();
  const preview = request.getPreview();
  const inputs = knownInputs(kind, news);
  if (inputs === undefined) return response.setProperties(encode(news.value, news.secrets));

  const call = exchange.call(preview);
  const created = await keepingState(kind.create(inputs, call), call, news.secrets);
  const outputs = preview ? { ...inputs, ...created.outputs } : created.outputs;
  return response.setId(created.id).setProperties(encode(outputs, news.secrets));
}

export async function readResource(
  kinds: Kinds,
  request: providerPb.ReadRequest,
  exchange: Exchange,
) {
  const kind = await kindOf(kinds, request.getUrn());
  const state = exchange.decode(request.getProperties(), kind.secrets);
  const inputs = exchange.decode(request.getInputs(), kind.secrets);
  const secrets = [...inputs.secrets, ...state.secrets];
  const imported = Object.keys(state.value).length === 0;
  const old = imported ? undefined : parseState(kind, state);

  const call = exchange.call(false);
  const reading = kind.read(request.getId(), old, call);
  const stored = imported ? undefined : request.getInputs();
  const found = await keepingState(reading, call, secrets, stored);
  const response = new providerPb.ReadResponse();
  if (found === undefined) return response;
  return response
    .setId(found.id ?? request.getId())
    .setInputs(encode(found.inputs, inputs.secrets))
    .setProperties(encode(found.outputs, secrets));
}

export async function updateResource(
  kinds: Kinds,
  request: providerPb.UpdateRequest,
  exchange: Exchange,
) {
  const kind = await kindOf(kinds, request.getUrn());
  const news = exchange.decode(request.getNews(), kind.secrets);
  const response = new providerPb.UpdateResponse();
  const preview = request.getPreview();
  const inputs = knownInputs(kind, news);
  if (inputs === undefined) return response.setProperties(encode(news.value, news.secrets));

  const call = exchange.call(preview);
  const old = parseState(kind, exchange.decode(request.getOlds()));
  const updating = kind.update(request.getId(), old, inputs, call);
  const updated = await keepingState(updating, call, news.secrets);
  const outputs = preview ? { ...inputs, ...updated } : updated;
  return response.setProperties(encode(outputs, news.secrets));
}

export async function deleteResource(
  kinds: Kinds,
  request: providerPb.DeleteRequest,
  exchange: Exchange,
) {
  const kind = await kindOf(kinds, request.getUrn());
  const old = parseState(kind, exchange.decode(request.getProperties()));
  await kind.delete(request.getId(), old, exchange.call(false));
  return new emptyPb.Empty();
}

/** Turns what is unfinished into what the engine stores. In a preview there is nothing to store. */
async function keepingState<T>(
  work: Promise<T>,
  call: Call,
  secrets: readonly Path[],
  inputs?: structPb.Struct,
): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof Unfinished) || call.preview) throw error;
    throw new PartlyDone(error, secrets, inputs);
  }
}

async function kindOf(kinds: Kinds, urn: string): Promise<AnyKind> {
  const type = urn.split("::")[2]?.split("$").at(-1) ?? "";
  const load = Object.hasOwn(kinds, type) ? kinds[type] : undefined;
  if (load !== undefined) return load();
  const known = Object.keys(kinds).join(", ");
  throw new Error(
    `The provider ${type.split(":", 1)[0]} has no resource type "${type}". It has: ${known}.`,
  );
}

/** The inputs; undefined while one of them is unknown, which only a preview may bring. */
function knownInputs(kind: AnyKind, news: Decoded): object | undefined {
  const { faults, value } = check(kind.inputs, news);
  if (faults.length > 0) throw new Error(`The inputs are faulty: ${faults.join("; ")}.`);
  return value;
}

function parseState(kind: AnyKind, state: Decoded): object {
  const { faults, value } = check(kind.outputs, state);
  if (value !== undefined) return value;
  throw new Error(
    `The stored state of this resource cannot be read: ${faults.join("; ")}. ` +
      "It was probably written by another version of the provider: use that version.",
  );
}

/** With a property's name the engine would print its value, a secret one in clear. */
export function checkFailure(fault: string): providerPb.CheckFailure {
  return new providerPb.CheckFailure().setReason(fault);
}

function diffResponse(found: readonly Change[]): providerPb.DiffResponse {
  const { DIFF_NONE, DIFF_SOME } = providerPb.DiffResponse.DiffChanges;
  const response = new providerPb.DiffResponse()
    .setChanges(found.length === 0 ? DIFF_NONE : DIFF_SOME)
    .setHasdetaileddiff(true)
    .setDiffsList(topLevel(found))
    .setReplacesList(topLevel(found.filter(({ replace }) => replace)));
  const detailed = response.getDetaileddiffMap();
  for (const change of found) {
    detailed.set(change.path, new providerPb.PropertyDiff().setKind(diffKind(change)));
  }
  return response;
}

function diffKind({ kind, replace = false }: Change): providerPb.PropertyDiff.Kind {
  const { Kind } = providerPb.PropertyDiff;
  const kinds = {
    add: [Kind.ADD, Kind.ADD_REPLACE],
    update: [Kind.UPDATE, Kind.UPDATE_REPLACE],
    delete: [Kind.DELETE, Kind.DELETE_REPLACE],
  } as const;
  return kinds[kind][replace ? 1 : 0];
}

function topLevel(found: readonly Change[]): string[] {
  return [...new Set(found.map(({ path }) => path.split(/[.[]/, 1)[0] ?? path))];
}
