/** The provider `mxhero`: the kinds of resources that it has. */
import { serve } from "./protocol/server.ts";

await serve({
  "mxhero:index:MxTakeover": async () => (await import("./mx-takeover.ts")).mxTakeover,
  "mxhero:index:SpfInclude": async () => (await import("./spf-include.ts")).spfInclude,
});
