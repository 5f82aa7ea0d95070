/** Which gateway's stack an organisation's stack file names. Pure. */
import { parse } from "yaml";
import { z } from "zod";

const stackFile = z
  .object({ config: z.object({ "mail:gateway": z.object({ stack: z.string() }) }) })
  .transform(({ config }) => config["mail:gateway"].stack)
  .optional()
  .catch(undefined);

/**
 * As it is written: `gateway`, or `organization/mail/gateway`. `undefined`: the gateway's hosts are written out, or it
 * is no organisation's file.
 *
 * @throws YAMLParseError
 */
export function namedGateway(text: string): string | undefined {
  return stackFile.parse(parse(text));
}
