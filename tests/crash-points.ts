/**
 * Where a run can be killed: at every request that it makes of Cloudflare's API, on either side of the
 * commit. Between two requests nothing of ours changes, so these are all the points there are.
 */
import type { LabCloudflare, LoggedRequest, RecordSpec, Switch } from "../lab/cloudflare/index.ts";

export interface CrashPoint {
  /** Which request of the run, from 1. */
  readonly request: number;
  /**
   * - `before-read`: the request was sent, nothing answered yet.
   * - `uncommitted`: the write arrived, and was lost.
   * - `unanswered`: the write was committed and published, and nobody was told.
   */
  readonly moment: "before-read" | "uncommitted" | "unanswered";
}

/** All points of a run, from the requests of an undisturbed one. */
export function crashPoints(requests: readonly LoggedRequest[]): CrashPoint[] {
  return requests.flatMap(({ kind }, index): CrashPoint[] => {
    const request = index + 1;
    if (kind === "read") return [{ request, moment: "before-read" }];
    return [
      { request, moment: "uncommitted" },
      { request, moment: "unanswered" },
    ];
  });
}

export function describePoint({ request, moment }: CrashPoint): string {
  return `request ${request}, ${moment}`;
}

/** Switches on what strikes the run at a point of it. The switches count from now on. */
export type Strike = (
  cloudflare: LabCloudflare,
  point: CrashPoint,
  kill: () => Promise<void>,
) => Switch;

/** Kills at the point. */
export const armCrash: Strike = (cloudflare, { request, moment }, kill) => {
  const occasion = { skip: request - 1 };
  const hook = cloudflare.intercept(moment === "unanswered" ? "after" : "before", occasion, kill);
  if (moment === "uncommitted") {
    cloudflare.addFault({ ...occasion, fault: "dropped-before-commit" });
  }
  return hook;
};

/** The zone without what differs from run to run: the generations of claims. */
export function comparable(records: readonly RecordSpec[]): RecordSpec[] {
  return records
    .map((record) => ({
      ...record,
      content: record.content.replace(/(claims?=)[0-9a-f.,]+/, "$1…"),
    }))
    .toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
}

function key({ name, type, priority = 0, content }: RecordSpec): string {
  return [name, type, String(priority).padStart(5, "0"), content].join(" ");
}

/** Whether the former MX can still be found: in the zone, or in the journal. */
export function remembersFormerMx(
  records: readonly RecordSpec[],
  former: readonly RecordSpec[],
): boolean {
  return former.every(({ name, content, priority }) => {
    const exchange = content === "." ? "." : `${content}.`;
    const stands = records.some(
      (record) =>
        record.name === name &&
        record.type === "MX" &&
        record.content === content &&
        record.priority === priority,
    );
    const journalled = records.some(
      (record) =>
        record.name.includes("_mxhero.") &&
        record.content.includes(`mx=\\"${priority} ${exchange}\\"`),
    );
    return stands || journalled;
  });
}
