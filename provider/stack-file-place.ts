/** Where a resource of the tenant's stack comes from: the entry of the stack file to look at. */
import { stackOf } from "./urn.ts";

/**
 * `stacks/Pulumi.contoso.yaml: mail:domains, name: contoso.test`, from the URN of a resource that
 * `TenantDomain` made; `undefined` for any other, which a program of its own made.
 *
 * @see https://www.pulumi.com/docs/iac/concepts/resources/names/ for the form of a URN
 */
export function placeInStackFile(urn: string): string | undefined {
  const [, domain] = /\$mxhero:tenant:TenantDomain\$.+::.+?-(.+)-(?:mx|spf)$/.exec(urn) ?? [];
  if (domain === undefined) return undefined;
  return `stacks/Pulumi.${stackOf(urn)}.yaml: mail:domains, name: ${domain}`;
}
