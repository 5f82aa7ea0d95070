/**
 * The resource `GatewayCertificate`: the fleet's certificate and private key in the secret store.
 *
 * It writes and never reads them: who runs Pulumi need not be able to decrypt what the gateway's role can.
 */
import type { z } from "zod";
import { certificateFacts } from "../config/certificate-rules.ts";
import { gatewayCertificateInputs, gatewayCertificateOutputs } from "./gateway-schema.ts";
import { inputChange } from "./input-changes.ts";
import { withRouteStore } from "./open-route-store.ts";
import type { Call, ResourceKind } from "./resource.ts";

type Inputs = z.output<typeof gatewayCertificateInputs>;
type Outputs = z.output<typeof gatewayCertificateOutputs>;

export const gatewayCertificate: ResourceKind<Inputs, Outputs> = {
  type: "mxhero:index:GatewayCertificate",
  inputs: gatewayCertificateInputs,
  outputs: gatewayCertificateOutputs,

  diff(old, news) {
    const keys = ["store", "certificateSecret", "keySecret", "certificate", "privateKey"] as const;
    return keys.flatMap((key) => inputChange(key, old[key], news[key]));
  },

  create: async (inputs, call) => ({
    id: `${inputs.store.secretPrefix}/${inputs.certificateSecret}`,
    outputs: await write(inputs, call),
  }),

  read: (_id, old) => {
    if (old === undefined) return Promise.resolve(undefined);
    const { fingerprint: _, expires: _expires, ...inputs } = old;
    return Promise.resolve({ inputs, outputs: old });
  },

  async update(_id, old, news, call) {
    const outputs = await write(news, call);
    if (!call.preview) await removeLeft(old, news);
    return outputs;
  },

  async delete(_id, old) {
    await withRouteStore(old.store, async (store) => {
      await store.deleteSecret(old.keySecret);
      await store.deleteSecret(old.certificateSecret);
    });
  },
};

async function write(inputs: Inputs, { preview }: Call): Promise<Outputs> {
  if (!preview) {
    await withRouteStore(inputs.store, async (store) => {
      await store.putSecret(inputs.keySecret, inputs.privateKey);
      await store.putSecret(inputs.certificateSecret, inputs.certificate);
    });
  }
  return { ...inputs, ...certificateFacts(inputs.certificate) };
}

/** Secrets under names that are no longer used. */
async function removeLeft(old: Inputs, news: Inputs): Promise<void> {
  const moved = old.store.secretPrefix !== news.store.secretPrefix;
  await withRouteStore(old.store, async (store) => {
    for (const key of ["keySecret", "certificateSecret"] as const) {
      if (moved || old[key] !== news[key]) await store.deleteSecret(old[key]);
    }
  });
}
