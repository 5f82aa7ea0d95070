/** The provider `mxhero` as the process that the engine starts. */
import { kinds } from "./kinds.ts";
import { mxheroProvider } from "./mxhero.ts";
import { serve } from "./protocol/server.ts";

await serve(mxheroProvider(kinds));
