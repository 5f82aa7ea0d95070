/** What `npm run verify` says of a domain: one result for each check, with the check's stable id. */

/**
 * Every check, in the order in which they are shown. Each is explained in docs/verify.md. An id never changes.
 */
export const CHECK_IDS = [
  "stack-file",
  "onboarded",
  "state",
  "bypass",
  "inactive",
  "moving",
  "name-servers",
  "mx",
  "mx-old",
  "mx-around",
  "mx-subdomains",
  "journal",
  "spf",
  "spf-second",
  "spf-budget",
  "dns-changed",
  "mta-sts",
  "loop",
  "route",
  "route-changed",
  "gateway-changed",
  "slots-acknowledged",
  "slots-proven",
  "slots-healthy",
  "rcpt",
  "inbound-mail",
  "outbound-mail",
] as const;
export type CheckId = (typeof CHECK_IDS)[number];

/**
 * - `well`: looked at, and as it should be.
 * - `notice`: nothing is wrong, and a person should know it.
 * - `wrong`: mail is lost, goes another way than the stack says, or soon will.
 * - `unread`: could not be looked at. It never counts as well.
 * - `skipped`: not looked at, for a reason that is no failure.
 */
export const CHECK_STATUSES = ["well", "notice", "wrong", "unread", "skipped"] as const;
export type CheckStatus = (typeof CHECK_STATUSES)[number];

export interface Check {
  readonly id: CheckId;
  readonly status: CheckStatus;
  /** What was seen, in one sentence. */
  readonly text: string;
  /** What to do. Missing where nothing is to be done. */
  readonly fix?: string;
}

/** Something that is read from the world: its value, or why there is none. */
export type Reading<T> =
  | { readonly kind: "read"; readonly value: T }
  | { readonly kind: "unread"; readonly problem: string }
  | { readonly kind: "skipped"; readonly why: string };

export function well(id: CheckId, text: string): Check {
  return { id, status: "well", text };
}

export function notice(id: CheckId, text: string, fix?: string): Check {
  return { id, status: "notice", text, ...(fix !== undefined && { fix }) };
}

export function wrong(id: CheckId, text: string, fix: string): Check {
  return { id, status: "wrong", text, fix };
}

export function unread(id: CheckId, text: string, fix?: string): Check {
  return { id, status: "unread", text, ...(fix !== undefined && { fix }) };
}

export function skipped(id: CheckId, text: string): Check {
  return { id, status: "skipped", text };
}

/** Judges what was read; what was not read is no judgement. */
export function judged<T>(
  id: CheckId,
  reading: Reading<T>,
  judge: (value: T) => readonly Check[],
): readonly Check[] {
  if (reading.kind === "read") return judge(reading.value);
  if (reading.kind === "skipped") return [skipped(id, reading.why)];
  return [unread(id, reading.problem)];
}
