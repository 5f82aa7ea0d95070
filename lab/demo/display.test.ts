import { expect, test } from "vitest";
import { inBrief, resourceTexts } from "./display.ts";

test("takes the texts beside our resources, each once", () => {
  const display = `
@ updating....
 +  pulumi:pulumi:Stack mail-contoso creating (0s) warning: using a language host
 +  mxhero:tenant:TenantDomain tenant-contoso.test creating (0s) 
 +  mxhero:index:MxTakeover tenant-contoso.test-mx creating (0s) 
 +  mxhero:index:MxTakeover tenant-contoso.test-mx creating (1s) contoso.test: add 10 smtp-in.gateway.test.
 +  mxhero:index:MxTakeover tenant-contoso.test-mx created (61m1s) contoso.test: add 10 smtp-in.gateway.test.
 +  mxhero:index:SpfInclude tenant-contoso.test-spf created (0.09s) 1 message
 ~  mxhero:index:SpfInclude tenant-contoso.test-spf update SPF of contoso.test: a → b
 -  mxhero:index:MxTakeover tenant-contoso.test-mx deleting (2s) contoso.test: remove the j`;
  expect(resourceTexts(display)).toEqual([
    "contoso.test: add 10 smtp-in.gateway.test.",
    "SPF of contoso.test: a → b",
  ]);
});

test.each([
  [
    "SPF of contoso.test: v=spf1 mx -all → v=spf1 mx include:_spf.gateway.test -all (2 of 10 lookups: mx 1)",
    "SPF of contoso.test: add include:_spf.gateway.test (2 of 10 lookups)",
  ],
  [
    "SPF of contoso.test: v=spf1 mx -all → v=spf1 a:mail.contoso.test -all",
    "SPF of contoso.test: add a:mail.contoso.test, remove mx",
  ],
  [
    "MX of contoso.test: 10 mail.contoso.test. → 10 smtp-in.gateway.test.",
    "MX of contoso.test: 10 mail.contoso.test. → 10 smtp-in.gateway.test.",
  ],
])("shortens %s", (text, brief) => {
  expect(inBrief(text)).toBe(brief);
});
