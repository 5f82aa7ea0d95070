/** kill -9 of the provider at every commit of a tenant's life: the same command again. */
import { testAllPoints } from "./crash-place.ts";
import { PROVIDER_KILLED } from "./crash-strikes.ts";

testAllPoints("the provider is killed", PROVIDER_KILLED, "odd");
