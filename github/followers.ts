/**
 * The organisations' stacks that are at a gateway which changes.
 *
 * What the change means to them no preview can show before it: they read the gateway's stack as it is.
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { namedGateway } from "../fleet/named-gateway.ts";
import { findStackFiles } from "../fleet/stack-files.ts";
import { code } from "../report/markdown-text.ts";

/** @param gateways names of stacks, without organisation and project */
export async function followersOf(
  project: string,
  gateways: readonly string[],
): Promise<readonly string[]> {
  if (gateways.length === 0) return [];
  const tenants = (await findStackFiles(project)).filter(({ kind }) => kind === "tenant");
  const named = await Promise.all(
    tenants.map(async ({ stack, file }) => {
      const gateway = namedGateway(await readFile(join(project, file), "utf8"));
      return { stack, gateway: gateway?.split("/").at(-1) };
    }),
  );
  return named.flatMap(({ stack, gateway }) =>
    gateway !== undefined && gateways.includes(gateway) ? [stack] : [],
  );
}

/** So many names are told. */
const SHOWN = 50;

/** Markdown; empty where there are none. */
export function followersText(followers: readonly string[]): string {
  if (followers.length === 0) return "";
  const more = followers.length - SHOWN;
  const names = followers.slice(0, SHOWN).map((stack) => code(stack));
  const all = `${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  return `At a gateway that changes: ${all}. What the change means to them shows only when it is done: run the workflow up by hand for them then.`;
}
