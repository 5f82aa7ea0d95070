/** The table of domains that `adopt` is given: its columns, and what is wrong in a row. */
import { parse } from "csv-parse/sync";
import { z } from "zod";
import { domain } from "../config/tenant.ts";
import { MailRuleError } from "../mail/errors.ts";

const list = z.string().transform((text) => text.split(";").map((item) => item.trim()));
const flag = z.enum(["true", "false"]).transform((text) => text === "true");

/** `10 mail.contoso.com; 20 backup.contoso.com` */
const mxTargets = list.transform((items, context) =>
  items.map((item) => {
    const [, preference, exchange] = /^(\d+)\s+(\S+)$/.exec(item) ?? [];
    if (preference !== undefined && exchange !== undefined) {
      return { exchange, preference: Number(preference) };
    }
    context.addIssue({
      code: "custom",
      message: `${JSON.stringify(item)} is not: 10 mail.contoso.com`,
    });
    return z.NEVER;
  }),
);

const { mailSystem, inbound, outbound } = domain.shape;
const text = z.string().exactOptional();

/** A row as it is written; an empty cell is as good as none. Lists have a semicolon between their parts. */
const row = z.strictObject({
  organisation: z.string(),
  domain: z.string(),
  mailSystem: mailSystem.exactOptional(),
  server: text,
  inbound: inbound.exactOptional(),
  outbound: outbound.exactOptional(),
  mxLookup: flag.exactOptional(),
  rcptLookup: flag.exactOptional(),
  sendingFrom: list.exactOptional(),
  probeRecipient: text,
  handBackTo: mxTargets.exactOptional(),
  dns: z.enum(["cloudflare", "manual"]).exactOptional(),
  zoneId: text,
  credential: text,
});

export type AdoptRow = z.output<typeof row>;

export const COLUMNS = Object.keys(row.shape);

export type TableRow = AdoptRow & { readonly line: number };

export interface AdoptTable {
  readonly rows: readonly TableRow[];
  readonly faults: readonly MailRuleError[];
}

const record = z.object({
  info: z.object({ lines: z.number() }),
  record: z.record(z.string(), z.string()),
});

/** @param file for messages */
export function parseAdoptTable(file: string, content: string): AdoptTable {
  const faults: MailRuleError[] = [];
  const rows = recordsOf(file, content, faults).flatMap(({ info, record: cells }) => {
    const filled = Object.entries(cells).filter(([, cell]) => cell !== "");
    const parsed = row.safeParse(Object.fromEntries(filled));
    if (parsed.success) return [{ ...parsed.data, line: info.lines }];
    faults.push(
      ...parsed.error.issues.map((issue) => cellFault(`${file}: line ${info.lines}`, issue)),
    );
    return [];
  });
  return { rows, faults };
}

function recordsOf(file: string, content: string, faults: MailRuleError[]) {
  try {
    const options = { columns: true, trim: true, bom: true, info: true, skip_empty_lines: true };
    return z.array(record).parse(parse(content, options));
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    faults.push(tableFault(file, error.message, "Correct it there, as RFC 4180 has it."));
    return [];
  }
}

function cellFault(where: string, { path, message, code, ...rest }: z.core.$ZodIssue) {
  const unknown = code === "unrecognized_keys" && "keys" in rest ? String(rest.keys) : undefined;
  if (unknown !== undefined) {
    return tableFault(
      where,
      `The column ${unknown} is not known.`,
      `Columns: ${COLUMNS.join(", ")}.`,
    );
  }
  const column = path.join(".");
  return tableFault(where, `${column}: ${message}.`, `Correct the cell of the column ${column}.`);
}

function tableFault(where: string, problem: string, fix: string): MailRuleError {
  return new MailRuleError({ code: "adopt-table", where, problem, fix });
}
