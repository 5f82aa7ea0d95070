/** A stack's file read by itself: what it tells, and what it keeps quiet about. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import { readStackFile } from "./stack-file.ts";

const file = "stacks/Pulumi.example.yaml";

const domain = {
  name: "example.com",
  mailSystem: "other",
  server: "mail.example.com",
  inbound: "border",
  outbound: "standard",
};
const gateway = {
  mx: [{ exchange: "mx.gateway.example.net", preference: 10 }],
  smtpIn: "smtp-in.gateway.example.net",
  smtpRelay: "smtp-relay.gateway.example.net",
  spfInclude: "_spf.gateway.example.net",
};
const tenant = {
  "mail:organisation": "example",
  "mail:gateway": gateway,
  "mail:domains": [domain],
};

async function codesOf(config: object, more: object = {}) {
  const { kind, faults } = await readStackFile(file, stringify({ config, ...more }));
  return { kind, codes: faults.map(({ code, where }) => `${code} ${where?.replace(file, "")}`) };
}

describe("is sound:", () => {
  test.each(["contoso", "fabrikam"])("the example %s", async (name) => {
    const text = readFileSync(new URL(`../stacks/Pulumi.${name}.yaml`, import.meta.url), "utf8");
    expect(await readStackFile(file, text)).toEqual({ kind: "tenant", faults: [] });
  });

  test("the example of a gateway, but for its certificate and key, which it leaves out", async () => {
    const text = readFileSync(new URL("../stacks/Pulumi.gateway.yaml", import.meta.url), "utf8");
    const { kind, faults } = await readStackFile(file, text);
    expect(kind).toBe("gateway");
    const missing = ["certificate", "privateKey"].map((key) => `${file}: config gateway:${key}`);
    expect(faults.map(({ where }) => where)).toEqual(missing);
  });

  test("a file with secrets, and with a gateway whose stack is not looked at", async () => {
    const withLogin = {
      ...domain,
      probeRecipient: "info@example.com",
      sendingFrom: ["93.184.215.14"],
      relayServer: {
        host: "filter.example.net",
        port: 587,
        tls: "verified",
        login: { user: "gateway", passwordName: "filter" },
      },
    };
    const config = {
      ...tenant,
      "mail:gateway": { stack: "organization/mail/gateway" },
      "mail:fixIt": "https://www.example.com/mail",
      "mail:domains": [withLogin],
      "mail:relayPasswords": { filter: { secure: "AAABAC:x" } },
    };
    expect(await codesOf(config, { encryptionsalt: "v1:x" })).toEqual({
      kind: "tenant",
      codes: [],
    });
  });
});

test("all faults are told at once, each with its place", async () => {
  const config = {
    ...tenant,
    "mail:domains": [{ ...domain, inbound: "boarder", servr: "x" }],
    "mail:relayPasswords": { filter: "in the clear" },
  };
  const { codes } = await codesOf(config);
  expect(codes).toEqual(
    expect.arrayContaining([
      expect.stringMatching(/^value-unknown : config mail:domains\[0\]\.inbound/),
      expect.stringMatching(/^key-unknown : config mail:domains\[0\]\.servr/),
      expect.stringMatching(/^value-not-secret : config mail:relayPasswords/),
    ]),
  );
});

test("a secret where none may be is told", async () => {
  const { codes } = await codesOf({ ...tenant, "mail:organisation": { secure: "x" } });
  expect(codes).toContainEqual("value-is-secret : config mail:organisation");
});

test("no YAML is told with line and column", async () => {
  const { faults } = await readStackFile(file, "config:\n  mail:domains: [\n  - x: 'y\n");
  expect(faults).toMatchObject([{ code: "stack-file-malformed" }]);
  expect(faults[0]?.message).toMatch(
    /^stacks\/Pulumi\.example\.yaml: line \d+, column \d+: It is no YAML: /,
  );
});

test.each([
  [
    "a name with a star in front",
    "config:\n  mail:domains:\n    - name: *.contoso.com\n",
    /: line 3, column 13: .*\*\.contoso\.com is an alias, and nothing before it has the anchor/,
  ],
  [
    "an alias before its anchor",
    "config:\n  mail:a: *list\n  mail:b: &list [x]\n",
    /: line 2, column 11: .*\*list is an alias/,
  ],
  [
    "an alias in its own anchor",
    "config:\n  mail:domains: &all\n    - x: *all\n",
    /: line 3, column 10: .*\*all is an alias of what it stands in/,
  ],
  [
    "aliases that grow without end",
    "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nconfig:\n  c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n  d: [*c,*c,*c,*c]\n",
    /^stacks\/Pulumi\.example\.yaml: It is no YAML: Excessive alias count/,
  ],
])("%s is told, and does not end the run", async (_, text, message) => {
  const { kind, faults } = await readStackFile(file, text);
  expect(kind).toBe("unknown");
  expect(faults).toMatchObject([{ code: "stack-file-malformed" }]);
  expect(faults[0]?.message).toMatch(message);
});

test("an alias of an anchor before it is what it stands for", async () => {
  const text = `x: &d ${JSON.stringify(domain)}\nconfig:\n  mail:organisation: example\n  mail:gateway: ${JSON.stringify(gateway)}\n  mail:domains: [*d]\n`;
  expect(await readStackFile(file, text)).toEqual({ kind: "tenant", faults: [] });
});

test.each(["", "config: {}", "- a", "config:\n  other:key: x\n", "config: text"])(
  "a file that says nothing of mail is told: %j",
  async (text) => {
    const { kind, faults } = await readStackFile(file, text);
    expect(kind).toBe("unknown");
    expect(faults).toMatchObject([{ code: "stack-file-empty" }]);
  },
);
