/** Cloudflare's API is cut off at every commit of a tenant's life, until the run has ended: the same command again. */
import { testAllPoints } from "./crash-place.ts";
import { DNS_CUT } from "./crash-strikes.ts";

testAllPoints("Cloudflare's API is cut off", DNS_CUT, "even");
