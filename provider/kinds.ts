/** The kinds of resources that the provider `mxhero` has, each loaded on first use. */
import type { Kinds } from "./protocol/resource-calls.ts";

export const kinds: Kinds = {
  "mxhero:index:Drain": async () => (await import("./drain.ts")).drain,
  "mxhero:index:GatewayCertificate": async () =>
    (await import("./gateway-certificate.ts")).gatewayCertificate,
  "mxhero:index:GatewayFleet": async () => (await import("./gateway-fleet.ts")).gatewayFleet,
  "mxhero:index:GatewayHosts": async () => (await import("./gateway-hosts.ts")).gatewayHosts,
  "mxhero:index:GatewaySlot": async () => (await import("./gateway-slot.ts")).gatewaySlot,
  "mxhero:index:MxTakeover": async () => (await import("./mx-takeover.ts")).mxTakeover,
  "mxhero:index:Route": async () => (await import("./route.ts")).route,
  "mxhero:index:SlotGuard": async () => (await import("./slot-guard.ts")).slotGuard,
  "mxhero:index:SlotQueue": async () => (await import("./slot-queue.ts")).slotQueue,
  "mxhero:index:SpfInclude": async () => (await import("./spf-include.ts")).spfInclude,
};
