/** The JSON that `npm run verify -- <stack> --json` prints. Published as docs/verify.schema.json. */
import { z } from "zod";
import { CHECK_IDS, CHECK_STATUSES } from "../mail/verify/check.ts";
import type { StackVerdict } from "./verify-stack.ts";

const check = z.strictObject({
  id: z.enum(CHECK_IDS).meta({ description: "docs/verify.md explains each." }),
  status: z.enum(CHECK_STATUSES),
  text: z.string().meta({ description: "What was seen." }),
  fix: z
    .string()
    .exactOptional()
    .meta({ description: "What to do. Missing where nothing is to be done." }),
});

const status = z.enum(["well", "notice", "wrong", "unread"]).meta({
  description:
    "The worst of the checks. unread comes before wrong: what was not read may be worse.",
});

export const stackVerdict = z
  .strictObject({
    stack: z.string(),
    at: z.iso.datetime().meta({ description: "When it was looked at. UTC." }),
    status,
    checks: z.array(check).meta({ description: "Of the stack and its gateway." }),
    domains: z.array(
      z.strictObject({
        domain: z.string().meta({ description: "In A-labels." }),
        status,
        checks: z.array(check),
      }),
    ),
  })
  .meta({ title: "What npm run verify says of a stack" }) satisfies z.ZodType<StackVerdict>;
