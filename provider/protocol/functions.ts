/** Functions of a provider: what a program asks for without making a resource (`Invoke`). */
import grpc from "@grpc/grpc-js";
import providerPb from "@pulumi/pulumi/proto/provider_pb.js";
import type { z } from "zod";
import { check } from "./check.ts";
import { CallFailure } from "./failures.ts";
import { checkFailure } from "./resource-calls.ts";
import { decode, encode } from "./wire.ts";

export interface ProviderFunction<Arguments extends object> {
  /** Strict: unknown keys are faults. */
  readonly arguments: z.ZodType<Arguments>;
  call(given: Arguments): Promise<object>;
}

/** Functions by token. A function is loaded when it is first called. */
export type Functions = Readonly<Record<string, () => Promise<ProviderFunction<object>>>>;

export async function callFunction(functions: Functions, request: providerPb.InvokeRequest) {
  const token = request.getTok();
  const load = Object.hasOwn(functions, token) ? functions[token] : undefined;
  if (load === undefined) {
    const text = `The provider ${token.split(":", 1)[0]} has no function "${token}".`;
    throw new CallFailure(grpc.status.UNIMPLEMENTED, text);
  }
  const called = await load();
  const { faults, value } = check(called.arguments, decode(request.getArgs()));
  const response = new providerPb.InvokeResponse();
  // The engine does not call with unknown arguments.
  if (value === undefined) return response.setFailuresList(faults.map(checkFailure));
  return response.setReturn(encode(await called.call(value)));
}
