/** The route stores of the gateways that a stack's domains are at, each fleet read once. */
import type { Reading } from "../mail/verify/check.ts";
import type { FleetView, StoreView } from "../mail/verify/evidence.ts";
import { withRouteStore } from "../provider/open-route-store.ts";
import type { StorePlace } from "../provider/route-schema.ts";

type Place = Omit<StorePlace, "keyId">;
type Fleet = Pick<FleetView, "slots" | "reports">;

export class GatewayStores {
  readonly #fleets = new Map<string, Promise<Reading<Fleet>>>();

  /** What the store has of a domain. */
  async readDomain(place: Place, domain: string): Promise<Reading<StoreView>> {
    const fleet = await this.#fleet(place);
    if (fleet.kind !== "read") return fleet;
    const view = await opened(place, (store) => store.readDomain(domain));
    if (view.kind !== "read") return view;
    return { kind: "read", value: { ...view.value, slots: fleet.value.slots } };
  }

  /** The fleets of the stores that were asked so far. */
  fleets(): Promise<readonly Reading<Fleet>[]> {
    return Promise.all(this.#fleets.values());
  }

  #fleet(place: Place): Promise<Reading<Fleet>> {
    const key = `${place.region} ${place.table}`;
    const known = this.#fleets.get(key);
    if (known !== undefined) return known;
    const reading = opened(place, async (store) => ({
      slots: (await store.slots()).map(({ slot }) => slot),
      reports: await store.reports(),
    }));
    this.#fleets.set(key, reading);
    return reading;
  }
}

type Work<T> = Parameters<typeof withRouteStore<T>>[1];

async function opened<T>(place: Place, work: Work<T>): Promise<Reading<T>> {
  const { table, region, secretPrefix } = place;
  try {
    return { kind: "read", value: await withRouteStore({ table, region, secretPrefix }, work) };
  } catch (error) {
    return { kind: "unread", problem: error instanceof Error ? error.message : String(error) };
  }
}
