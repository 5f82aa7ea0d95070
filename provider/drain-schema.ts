/** What a program gives to `Drain`; the state keeps the same. */
import { z } from "zod";
import { QUIET_SECONDS } from "../mail/outbound-quiet.ts";
import { MAIL_SYSTEM_KINDS } from "../mail/sending-setting.ts";
import { storePlace } from "./route-schema.ts";

export const drainInputs = z.strictObject({
  domain: z.string().min(1),
  mailSystem: z.enum(MAIL_SYSTEM_KINDS),
  relay: z.string().min(1),
  quietSeconds: z.number().min(0).default(QUIET_SECONDS),
  /** The gateway's SPF domain, where the domain's SPF record names it. */
  include: z.string().min(1).exactOptional(),
  /** Other terms that the domain's SPF record is given. */
  replacements: z.array(z.string()).exactOptional(),
  /** The gateway's endpoint to which the mail system hands inbound mail. Missing: it hands none over. */
  handsOverTo: z.string().min(1).exactOptional(),
  /** The gateway's names: where the domain's MX names one, nothing more needs to be handed over. */
  gatewayHosts: z.array(z.string()).exactOptional(),
  /** Where the gateway's slots tell of mail. Missing: nobody here can ask the gateway. */
  store: storePlace.exactOptional(),
  /** With which right the domain is held there. */
  claim: z.string().exactOptional(),
  /** Gateways that the domain was at before: there, too, it must be quiet. */
  former: z
    .array(
      z.strictObject({
        relay: z.string().min(1),
        handsOverTo: z.string().min(1).exactOptional(),
        store: storePlace,
      }),
    )
    .default([]),
});

export type DrainInputs = z.output<typeof drainInputs>;
