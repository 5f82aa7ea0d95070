/** The types of instances that the SDK knows. */
import { _InstanceType as types } from "@aws-sdk/client-ec2";

/** @throws Error if there is no such type */
export function instanceTypeOf(name: string) {
  const found = Object.values(types).find((known) => known === name);
  if (found === undefined) throw new Error(`InvalidInstanceType: There is no type ${name}.`);
  return found;
}
