/**
 * `send bob@contoso.test` in the lab's shell: delivers a message from outside and says what happened.
 *
 * It is given `LAB_SENDER` (name and source address) and `MXHERO_RESOLVERS`.
 */
import { readFile } from "node:fs/promises";
import { createSender } from "./sender.ts";

const { LAB_SENDER = "", MXHERO_RESOLVERS = "", NODE_EXTRA_CA_CERTS = "" } = process.env;
const [name = "", address = ""] = LAB_SENDER.split(" ");
const [to] = process.argv.slice(2);
if (to === undefined || address === "") {
  console.error("Usage, in the lab's shell: send <address>");
  process.exit(2);
}

const ca = await readFile(NODE_EXTRA_CA_CERTS, "utf8");
const sender = createSender({ name, address, resolver: MXHERO_RESOLVERS, ca });
const { outcome, reason, attempts } = await sender.send({ to });
for (const { host, address: hostAddress, reply } of attempts) {
  console.log(`${host} [${hostAddress}]: ${reply}`);
}
console.log(attempts.length === 0 ? `${outcome}: ${reason}` : outcome);
process.exitCode = outcome === "delivered" ? 0 : 1;
