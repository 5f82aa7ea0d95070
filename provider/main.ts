/** The provider `mxhero`: the kinds of resources that it has. */
import { mxheroProvider } from "./mxhero.ts";
import { serve } from "./protocol/server.ts";

const provider = mxheroProvider({
  "mxhero:index:MxTakeover": async () => (await import("./mx-takeover.ts")).mxTakeover,
  "mxhero:index:Route": async () => (await import("./route.ts")).route,
  "mxhero:index:SpfInclude": async () => (await import("./spf-include.ts")).spfInclude,
});

await serve(provider);
