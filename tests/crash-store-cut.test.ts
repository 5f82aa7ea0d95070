/** The route store is cut off at every commit of a tenant's life, until the run has ended: the same command again. */
import { testAllPoints } from "./crash-place.ts";
import { STORE_CUT } from "./crash-strikes.ts";

testAllPoints("the route store is cut off", STORE_CUT, "odd");
