/** Where what is made once serves the next run: outside of the checkout. */
import { homedir } from "node:os";
import { join } from "node:path";

/** `pulumi-mxhero` in `$XDG_CACHE_HOME` or `~/.cache`. */
export function cacheFolder(): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "pulumi-mxhero");
}
