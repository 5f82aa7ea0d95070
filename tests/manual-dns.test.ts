/** Domains whose DNS a person changes by hand: the test plays that person, by the lines that a run prints. */
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import type { RrSet } from "../lab/dns.ts";
import {
  failed,
  gatewayMx,
  type Run,
  startTenantLab,
  succeeded,
  type TenantLab,
  type TenantStack,
} from "./tenant.ts";
import { assertNeverEmptyOrForeign, watchNameServers } from "./watch-name-servers.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

let lab: TenantLab;
/** No token anywhere. */
const env = { CLOUDFLARE_API_TOKEN: undefined, CLOUDFLARE_API_TOKEN_FABRIKAM: undefined };

beforeAll(async () => {
  lab = await startTenantLab();
});

afterAll(() => lab[Symbol.asyncDispose]());

/** A zone that is not at Cloudflare, as the person who keeps it sees it. */
class Person {
  readonly name: string;
  readonly #records = new Map<string, string[]>();

  private constructor(name: string) {
    this.name = name;
  }

  static async withZone(name: string, lines: readonly string[]): Promise<Person> {
    const person = new Person(name);
    await lab.world.dns.addZone(name);
    const server = `mail.${name}. IN A ${lab.world.net}.2.9`;
    await person.edit({ add: [server, ...lines], remove: [] });
    return person;
  }

  /** One change, on all name servers or on some of them. */
  async edit(
    { add, remove }: { readonly add: readonly string[]; readonly remove: readonly string[] },
    servers?: readonly number[],
  ): Promise<void> {
    const touched = new Set<string>();
    for (const line of remove) {
      const [key, data] = readLine(line);
      const present = this.#records.get(key) ?? [];
      if (!present.includes(data)) throw new Error(`${key} has no ${data}: ${present.join(", ")}`);
      this.#records.set(
        key,
        present.filter((other) => other !== data),
      );
      touched.add(key);
    }
    for (const line of add) {
      const [key, data] = readLine(line);
      this.#records.set(key, [...(this.#records.get(key) ?? []), data]);
      touched.add(key);
    }
    const rrsets = [...touched].map((key): RrSet => {
      const [name = "", type = ""] = key.split(" ");
      return { name, type, ttl: 300, records: this.#records.get(key) ?? [] };
    });
    await lab.world.dns.publish(this.name, rrsets, servers && { servers });
  }

  /** Does what the run asks for. */
  async obey(run: Run): Promise<void> {
    await this.edit(asked(run));
  }

  records(): string[] {
    return [...this.#records]
      .flatMap(([key, data]) => data.map((one) => `${key} ${one}`))
      .toSorted();
  }
}

function readLine(line: string): readonly [string, string] {
  const [, name, type, data = ""] = /^(\S+)\. (?:\d+ )?IN (\S+) (.+)$/.exec(line) ?? [];
  return [`${name} ${type}`, data];
}

/** The lines of the one change that a run ended with. */
function asked({ text }: Run) {
  const [, words = ""] = text.split("Diagnostics:");
  const [needed = ""] = words.split("may go with it");
  const lines = (kind: string) =>
    [...needed.matchAll(new RegExp(`^ +${kind} +(\\S+ .*)$`, "gm"))].map(([, line = ""]) => line);
  return { add: lines("add"), remove: lines("remove") };
}

function manual(name: string) {
  return { domains: [{ name, outbound: "none" as const, dns: "manual" as const }] };
}

async function mxOutputs(stack: TenantStack) {
  const resources = await stack.resources();
  return resources.find(({ type }) => type === "mxhero:index:MxTakeover")?.outputs;
}

test("a person brings a domain onto the gateway and off it, change by change", async () => {
  const name = "manual.test";
  const former = [`10 mail.${name}`, "20 backup.mail-host.test"];
  const person = await Person.withZone(
    name,
    former.map((mx) => `${name}. IN MX ${mx}.`),
  );
  const before = person.records();
  const stack = await lab.addStack("manual", manual(name));
  await using watch = watchNameServers(lab.world, name);

  const add = await failed(stack.up([], { env }));
  expect(add.text).toContain("(dns-change-needed");
  expect(asked(add)).toEqual({ add: [`${name}. 300 IN MX 10 smtp-in.gateway.test.`], remove: [] });
  expect(await mxOutputs(stack)).toMatchObject({ after: [{ preference: 10 }, { preference: 20 }] });

  // Nobody has done anything: the same is asked again.
  expect(asked(await failed(stack.up([], { env })))).toEqual(asked(add));

  await person.obey(add);
  const remove = await failed(stack.up([], { env }));
  expect(asked(remove)).toEqual({
    add: [],
    remove: former.map((mx) => `${name}. IN MX ${mx}.`),
  });
  await person.obey(remove);
  await succeeded(stack.up([], { env }));
  expect(await mxOutputs(stack)).toMatchObject({ after: [{ exchange: "smtp-in.gateway.test" }] });
  await succeeded(stack.preview(["--expect-no-changes"], { env }));
  await succeeded(stack.refresh(["--expect-no-changes"], { env }));

  const back = await failed(stack.destroy([], { env }));
  expect(asked(back)).toEqual({
    add: former.map((mx) => `${name}. 300 IN MX ${mx}.`),
    remove: [],
  });
  await person.obey(back);
  const gone = await failed(stack.destroy([], { env }));
  expect(asked(gone)).toEqual({
    add: [],
    remove: [`${name}. IN MX 10 smtp-in.gateway.test.`],
  });
  await person.obey(gone);
  await succeeded(stack.destroy([], { env }));
  expect(person.records()).toEqual(before);
  assertNeverEmptyOrForeign(await watch.stop(), former, gatewayMx);
});
