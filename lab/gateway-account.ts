/** Where a gateway's stack comes up in a world: an account on AWS, and a zone at Cloudflare for its names. */
import { exampleGateway } from "../config/example-gateway.ts";
import { labRegion, type Moto, startMoto } from "./aws/moto.ts";
import { gatewayZone } from "./example-world.ts";
import type { World } from "./world.ts";

export interface GatewayAccount extends AsyncDisposable {
  readonly moto: Moto;
  /** At Cloudflare. */
  readonly zoneId: string;
  /** What Pulumi needs to reach AWS, beside the world's own variables. */
  readonly env: Readonly<Record<string, string>>;
  /** The configuration of a gateway of two slots, by full key, without its certificate. */
  readonly config: Readonly<Record<string, unknown>>;
}

/** Elastic IPs that the account can get, two for each slot. */
const addresses = 8;

type Place = Pick<World, "net" | "directory" | "cloudflare">;

/** Instances of the account become hosts where a runner is started for it: hosts/runner.ts. */
export async function startGatewayAccount(world: Place): Promise<GatewayAccount> {
  const { net, directory, cloudflare } = world;
  // Only the largest plan has records that are kept for as short a time as a demonstration has.
  const zoneId = await cloudflare.addZone({ name: gatewayZone, plan: "enterprise" });
  const moto = await startMoto({ address: `${net}.5.1`, directory });
  return {
    moto,
    zoneId,
    env: {
      ...moto.env,
      LAB_ELASTIC_ADDRESSES: Array.from(
        { length: addresses },
        (_, index) => `${net}.6.${index + 1}`,
      ).join(),
      LAB_AWS_QUOTAS: JSON.stringify({ "L-0263D0A3": addresses, "L-1216C47A": 8 }),
    },
    config: {
      ...exampleGateway,
      "aws:region": labRegion,
      "gateway:zone": { name: gatewayZone, id: zoneId },
      // The hosts of the world have addresses of this network.
      "gateway:network": {
        cidr: `${net.replace("127.", "10.")}.0.0/16`,
        availabilityZones: [`${labRegion}a`, `${labRegion}b`],
      },
      "gateway:architecture": process.arch,
      "gateway:instanceType": process.arch === "x64" ? "t3.small" : "t4g.small",
      "gateway:ttlSeconds": 30,
      // Every address of the lab is one of loopback.
      "gateway:nextHops": "private",
      "gateway:awsEndpoint": moto.url,
    },
    [Symbol.asyncDispose]: () => moto[Symbol.asyncDispose](),
  };
}
