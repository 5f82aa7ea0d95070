/** Opens a gateway's route store, and says what to do where it cannot be asked. */
import { MailRuleError, type MailRuleFault } from "../mail/errors.ts";
import { StoreError, type StoreFailure } from "../store/errors.ts";
import type { RouteStore } from "../store/route-store.ts";
import type { StorePlace } from "./route-schema.ts";

/**
 * Does something with the store at this place. Credentials come from the AWS SDK's usual places.
 *
 * @throws MailRuleError `aws-credentials-missing`, `route-store-denied`, `route-table-missing`,
 *   `route-store-unavailable`
 */
export async function withRouteStore<T>(
  place: StorePlace,
  work: (store: RouteStore) => Promise<T>,
): Promise<T> {
  // The AWS SDK takes a while to load, and a preview without changes never gets here.
  const { RouteStore } = await import("../store/route-store.ts");
  using store = new RouteStore(place);
  try {
    return await work(store);
  } catch (error) {
    throw error instanceof StoreError ? (refusal(place, error) ?? error) : error;
  }
}

function refusal({ table, region }: StorePlace, error: StoreError): MailRuleError | undefined {
  const found = REFUSALS[error.failure];
  if (found === undefined) return undefined;
  const where = `route table ${table} in ${region}`;
  return new MailRuleError({ ...found, where, value: table, cause: error, problem: error.message });
}

const REFUSALS: Readonly<Partial<Record<StoreFailure, Pick<MailRuleFault, "code" | "fix">>>> = {
  credentials: {
    code: "aws-credentials-missing",
    fix: "Give the AWS account's credentials in the environment: AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.",
  },
  denied: {
    code: "route-store-denied",
    fix: "Give credentials with the rights that docs/gateway.md lists for this kind of stack.",
  },
  missing: {
    code: "route-table-missing",
    fix: "Bring the gateway's stack up first, or correct the name and the region of its table.",
  },
  unavailable: {
    code: "route-store-unavailable",
    fix: "Run the same command again once AWS answers: it goes on from there. The gateway goes on meanwhile.",
  },
};
