import { expect, test } from "vitest";
import { placeInStackFile } from "./stack-file-place.ts";

const parents = "mxhero:tenant:Tenant$mxhero:tenant:TenantDomain";

test.each([
  ["MxTakeover", "tenant-contoso.test-mx", "contoso.test"],
  ["SpfInclude", "tenant-xn--bcher-kva.test-spf", "xn--bcher-kva.test"],
])("a %s of the tenant's stack is found in its file", (type, name, domain) => {
  const urn = `urn:pulumi:prod::mail::${parents}$mxhero:index:${type}::${name}`;
  expect(placeInStackFile(urn)).toBe(`stacks/Pulumi.prod.yaml: mail:domains, name: ${domain}`);
});

test("a resource of another program has no place there", () => {
  const urn = "urn:pulumi:prod::own::mxhero:index:MxTakeover::tenant-contoso.test-mx";
  expect(placeInStackFile(urn)).toBeUndefined();
});
