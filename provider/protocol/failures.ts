/** Errors as the engine understands them. */
import grpc from "@grpc/grpc-js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import statusPb from "@pulumi/pulumi/proto/status_pb.js";
import anyPb from "google-protobuf/google/protobuf/any_pb.js";
import type structPb from "google-protobuf/google/protobuf/struct_pb.js";
import { MailRuleError } from "../../mail/errors.ts";
import { Unfinished } from "../resource.ts";
import { Cancelled } from "./running-calls.ts";
import { encode, type Path } from "./wire.ts";

/** Something of a resource is done, something is left to do, and its state is to be kept. */
export class PartlyDone extends Error {
  override readonly name = "PartlyDone";
  readonly id: string;
  readonly outputs: structPb.Struct;
  /** Where the engine asks for the inputs, too. */
  readonly inputs: structPb.Struct | undefined;
  readonly reasons: readonly [string, ...string[]];

  constructor(unfinished: Unfinished<object>, secrets: readonly Path[], inputs?: structPb.Struct) {
    super(unfinished.message, { cause: unfinished });
    this.id = unfinished.id;
    this.outputs = encode(unfinished.outputs, secrets);
    this.inputs = inputs;
    this.reasons = unfinished.reasons;
  }
}

/** What a call answers instead of a response. */
export class CallFailure extends Error {
  override readonly name = "CallFailure";
  readonly code: grpc.status;
  readonly metadata: grpc.Metadata;

  constructor(code: grpc.status, message: string, metadata = new grpc.Metadata()) {
    super(message);
    this.code = code;
    this.metadata = metadata;
  }
}

/**
 * A plain error shows its message and changes no state. Of `PartlyDone` the engine stores the state with
 * the reasons and shows those; the next `up` calls Update.
 *
 * @param place where in the stack's file the cause may stand
 */
export function callFailure(
  error: unknown,
  redact = (text: string) => text,
  place?: string,
): CallFailure {
  if (error instanceof CallFailure) return error;
  const cause = error instanceof PartlyDone ? error.cause : error;
  const show = (text: string) => redact(`${text}${reference(cause, place)}`);
  if (error instanceof PartlyDone) return initFailed(error, show);
  const code = error instanceof Cancelled ? grpc.status.CANCELLED : grpc.status.UNKNOWN;
  return new CallFailure(code, show(errorText(error)));
}

/** The code of a refusal, which is documented in docs/refusals.md, and the place in the stack's file. */
function reference(error: unknown, place: string | undefined): string {
  const root = error instanceof Unfinished ? error.cause : error;
  const code = root instanceof MailRuleError ? root.code : undefined;
  const parts = [code, place].filter((part) => part !== undefined);
  return parts.length === 0 ? "" : ` (${parts.join("; ")})`;
}

/** The stacks of an error and of its causes. */
export function errorTrace(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : `\ncaused by ${errorTrace(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

/** The message and its remedy, which some errors carry in `fix`. */
function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const fix = "fix" in error && typeof error.fix === "string" ? error.fix : "";
  return error.message.includes(fix) ? error.message : `${error.message} ${fix}`;
}

function initFailed(
  { id, outputs, inputs, reasons }: PartlyDone,
  redact: (text: string) => string,
): CallFailure {
  const shown = reasons.map(redact);
  const detail = new providerPb.ErrorResourceInitFailed()
    .setId(id)
    .setProperties(outputs)
    .setInputs(inputs)
    .setReasonsList(shown);
  const any = new anyPb.Any();
  any.pack(detail.serializeBinary(), "pulumirpc.ErrorResourceInitFailed");

  const message = shown.join("; ");
  const status = new statusPb.Status().setCode(grpc.status.UNKNOWN).setMessage(message);
  status.addDetails(any);
  const metadata = new grpc.Metadata();
  metadata.add("grpc-status-details-bin", Buffer.from(status.serializeBinary()));
  return new CallFailure(grpc.status.UNKNOWN, message, metadata);
}
