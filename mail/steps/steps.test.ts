import { assert, constantFrom, property, record } from "fast-check";
import { expect, test } from "vitest";
import { domainSteps, formatStep, type Step, type StepFacts } from "./index.ts";
import { FACTS, HOSTED_GATEWAY, OWN_GATEWAY, UNKNOWN_GATEWAY } from "./testdata/facts.ts";

const HOSTED = { gateway: HOSTED_GATEWAY, sendingFrom: [] };
const M365 = {
  mailSystem: "microsoft365",
  server: "contoso-example.mail.protection.outlook.com",
} as const;
const GOOGLE = { mailSystem: "google", server: "smtp.google.com" } as const;
const NEIGHBOURS = [
  { domain: "shop.example", inbound: "border", outbound: "standard" },
  { domain: "old.example", inbound: "none", outbound: "none" },
] as const;
const BY_HAND = {
  mx: [{ preference: 10, exchange: "smtp-in.gateway.example" }],
  spfTerms: ["include:_spf.gateway.example"],
};

const GOLDEN: Readonly<Record<string, Partial<StepFacts>>> = {
  "microsoft365-hosted": { ...M365, ...HOSTED },
  "microsoft365-own-gateway": { ...M365, neighbours: NEIGHBOURS },
  "microsoft365-loopback": { ...M365, ...HOSTED, inbound: "loopback", outbound: "loopback" },
  "microsoft365-unknown-addresses": { ...M365, gateway: UNKNOWN_GATEWAY, sendingFrom: [] },
  "google-hosted": { ...GOOGLE, ...HOSTED },
  "google-own-gateway": { ...GOOGLE, neighbours: NEIGHBOURS },
  "google-loopback": { ...GOOGLE, ...HOSTED, inbound: "loopback", outbound: "loopback" },
  "exchange-own-gateway": { mailSystem: "exchange" },
  "exchange-loopback": {
    mailSystem: "exchange",
    inbound: "loopback",
    outbound: "loopback",
    neighbours: NEIGHBOURS,
  },
  "other-own-gateway": {},
  "other-hosted-relay-server": {
    ...HOSTED,
    rcptLookup: "off",
    relayServer: { host: "filter.partner.example", port: 587 },
  },
  "other-by-hand": { byHand: BY_HAND },
  "other-receives-only": { outbound: "none" },
  "other-sends-only": { inbound: "none" },
};

function text(steps: readonly Step[]): string {
  return `${steps.flatMap((step, index) => formatStep(step, index + 1)).join("\n")}\n`;
}

test.each(Object.entries(GOLDEN))("%s", async (name, changes) => {
  const { onboarding, offboarding } = domainSteps(
    { ...FACTS, ...changes },
    "2026-11-26T12:00:00.000Z",
  );
  const both = `Onboarding\n\n${text(onboarding)}\nOffboarding\n\n${text(offboarding)}`;
  await expect(both).toMatchFileSnapshot(`testdata/${name}.txt`);
});

const flows = record({
  mailSystem: constantFrom("microsoft365", "google", "exchange", "other"),
  inbound: constantFrom("border", "loopback", "none"),
  outbound: constantFrom("standard", "loopback", "none"),
  gateway: constantFrom(OWN_GATEWAY, HOSTED_GATEWAY, UNKNOWN_GATEWAY),
  neighbours: constantFrom([], NEIGHBOURS),
  byHand: constantFrom(undefined, BY_HAND),
});

/** Titles, so that an order can be read. */
function places(steps: readonly Step[]): Readonly<Record<"run" | "lockDown" | "rest", number[]>> {
  const at = { run: [] as number[], lockDown: [] as number[], rest: [] as number[] };
  for (const [index, { when, title }] of steps.entries()) {
    if (when === "Then") at.run.push(index);
    else if (title.startsWith("lock ") || title.startsWith("lift ")) at.lockDown.push(index);
    else at.rest.push(index);
  }
  return at;
}

test("steps stand before or after the run as they say, and the run is there once", () => {
  assert(
    property(flows, (changes) => {
      const all = domainSteps({ ...FACTS, ...changes });
      for (const steps of [all.onboarding, all.offboarding]) {
        const { run } = places(steps);
        expect(run).toHaveLength(1);
        for (const [index, { when }] of steps.entries()) {
          if (when === "Then") continue;
          expect([when, when.startsWith("Before")]).toEqual([when, index < (run[0] ?? -1)]);
        }
      }
    }),
  );
});

test("a lock-down is the last step and has its time; it is lifted first, before connectors go", () => {
  assert(
    property(flows, (changes) => {
      const { onboarding, offboarding } = domainSteps(
        { ...FACTS, ...changes },
        "2026-01-01T00:05:00Z",
      );
      const [down, up] = [places(onboarding), places(offboarding)];
      const expected = changes.inbound === "border" ? 1 : 0;
      expect(down.lockDown).toHaveLength(expected);
      expect(up.lockDown).toHaveLength(expected);
      if (expected === 0) return;
      expect(down.lockDown).toEqual([onboarding.length - 1]);
      expect(onboarding.at(-1)?.when).toContain("not before 2026-01-01T00:05:00Z");
      // Only the shell is opened before.
      expect(up.lockDown[0]).toBeLessThanOrEqual(changes.mailSystem === "microsoft365" ? 1 : 0);
    }),
  );
});

function hands({ title }: Step): boolean {
  return /^(?:make the (?:mail flow )?rule that hands|send the mail|hand mail|make the Send)/.test(
    title,
  );
}

function stops({ title }: Step): boolean {
  return /^(?:switch the rule off|let (?:the )?mail .*leave|deliver mail)/.test(title);
}

test("what sends through the gateway is switched on after the route is there, and off before it goes", () => {
  assert(
    property(flows, (changes) => {
      const { onboarding, offboarding } = domainSteps({ ...FACTS, ...changes });
      for (const step of onboarding.filter(hands)) expect(step.when).toBe("After pulumi up");
      for (const step of offboarding.filter(stops)) expect(step.when).toBe("Before pulumi destroy");
      expect(offboarding.filter(stops).length).toBe(onboarding.filter(hands).length);
    }),
  );
});

test("every step says how it is checked, unless it only runs pulumi; every command has its undo", () => {
  assert(
    property(flows, (changes) => {
      const all = domainSteps({ ...FACTS, ...changes });
      for (const step of [...all.onboarding, ...all.offboarding]) {
        const { when, title, check, blocks } = step;
        const silent = blocks.filter(({ lines, undo }) => lines.length === 0 || undo.length === 0);
        expect({ title, isChecked: when === "Then" || check.length > 0, silent }).toEqual({
          title,
          isChecked: true,
          silent: [],
        });
      }
    }),
  );
});

test("no step leaves a blank to fill in, or a value that is not there", () => {
  assert(
    property(flows, (changes) => {
      const all = domainSteps({ ...FACTS, ...changes });
      const lines = text([...all.onboarding, ...all.offboarding]);
      expect(lines).not.toMatch(/undefined|\[object|<[a-z]+>|NaN| {2,}[.,]/);
    }),
  );
});
