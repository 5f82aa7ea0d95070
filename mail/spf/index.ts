export { type CheckHostArgs, checkHost, type SpfOutcome, type SpfResult } from "./check-host.ts";
