/**
 * The lines of /etc/hosts that keep mail from tenant to tenant inside the fleet: the inbound endpoint's name
 * stands for the private addresses of all slots. The relay instance looks hosts up there first
 * (`smtp_host_lookup = native`), also those that it has from an MX record.
 */
import type { GatewayHostConfig } from "../host-config.ts";

const begin = "# mxhero-gateway: begin";
const end = "# mxhero-gateway: end";

/** The file with our lines replaced, or added at its end. What else is in it stays. */
export function withFleetHosts(hostsFile: string, config: GatewayHostConfig): string {
  const lines = hostsFile.split("\n");
  const [first, last] = [lines.indexOf(begin), lines.indexOf(end)];
  const others = first === -1 || last < first ? lines : lines.toSpliced(first, last - first + 1);
  return [others.join("\n").trimEnd(), begin, ...fleetHosts(config), end, ""]
    .join("\n")
    .trimStart();
}

/** Its own address too: a slot delivers to itself as to the others. */
function fleetHosts({ smtpIn, inbound, peers }: GatewayHostConfig): string[] {
  const addresses = [inbound.address, ...peers.map(({ inboundAddress }) => inboundAddress)];
  return addresses.map((address) => `${address} ${smtpIn}`);
}
