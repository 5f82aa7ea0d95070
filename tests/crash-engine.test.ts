/** kill -9 of the engine at every commit of a tenant's life: what `npm run leftovers` says mends it. */
import { testAllPoints } from "./crash-place.ts";
import { ENGINE_KILLED } from "./crash-strikes.ts";

testAllPoints("the engine is killed", ENGINE_KILLED, "even");
