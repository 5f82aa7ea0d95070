import { expect, test } from "vitest";
import { differences } from "./census.ts";

const before = {
  atCloudflare: ['contoso.test MX {"content":"mail.contoso.test","ttl":3600,"priority":10}'],
  served: ["ns1: contoso.test A 192.0.2.1", "ns1: contoso.test A 192.0.2.1"],
};

test("the same records in another order are no difference", () => {
  const now = { ...before, served: before.served.toReversed() };
  expect(differences(before, now)).toEqual([]);
});

test("another TTL, a record that is gone and a new answer are differences", () => {
  const changed = 'contoso.test MX {"content":"mail.contoso.test","ttl":1,"priority":10}';
  const now = {
    atCloudflare: [changed],
    served: ["ns1: contoso.test A 192.0.2.1", 'ns1: _mxhero.contoso.test TXT "left"'],
  };
  expect(differences(before, now)).toEqual([
    `- ${before.atCloudflare[0]}`,
    `+ ${changed}`,
    "- ns1: contoso.test A 192.0.2.1",
    '+ ns1: _mxhero.contoso.test TXT "left"',
  ]);
});
