/**
 * Carries out a takeover or a hand-back step by step: look at the zone, decide, wait until what stays is
 * served everywhere, look again, write, see it served.
 */
import {
  type FormerMx,
  formatMxJournal,
  isJournalText,
  type JournalText,
  journalKind,
} from "../mail/journal.ts";
import { formatMxSet, includesAllMx, includesMx } from "../mail/mx.ts";
import type { MxStep, MxWorld } from "../mail/mx-goal.ts";
import { WriteRefusedForNow, WriteUncertain } from "./cloudflare-errors.ts";
import type { Batch, NewRecord } from "./cloudflare-records.ts";
import { type LiveDomain, readJournal, readMx, type View } from "./live-domain.ts";
import { servedMx } from "./public-domain.ts";
import type { Call } from "./resource.ts";
import { pause, untilServed } from "./wait.ts";

/** Cloudflare's "automatic" TTL, 300 s. */
const AUTOMATIC_TTL = 1;
const WRITE_ATTEMPTS = 6;

export interface MxRun {
  readonly live: LiveDomain;
  readonly call: Call;
  readonly overlapSeconds: number;
  /** Decides the next step; `undefined` when nothing is left to do. */
  readonly next: (world: MxWorld) => MxStep | undefined;
  /** Refuses exchanges that senders would not accept. Asked before they are added. */
  readonly beforeAdding: (exchanges: readonly string[]) => Promise<void>;
  /** Told before each write. From the first one on something of ours is in the zone. */
  readonly onWrite: (step: MxStep) => void;
}

/** Runs to the end, and returns the zone as it is then. Every rejection leaves a state that the next run continues. */
export async function applyMxSteps(run: MxRun, first?: View): Promise<View> {
  const { live, call } = run;
  let view = first ?? (await live.observe());
  let ready: string | undefined;
  for (let failures = 0; ; ) {
    call.signal.throwIfAborted();
    const step = run.next(await mxWorld(live, view));
    if (step === undefined) return view;
    if (step.after !== "at-once" && ready !== step.what) {
      await untilSafe(run, step, view);
      await allow(run, step);
      ready = step.what;
      view = await live.observe();
      continue;
    }
    ready = undefined;
    // Where something is changed, this was asked before the zone was read again: that read is the last thing.
    if (step.after === "at-once") await allow(run, step);
    const adding = addedBy(step);
    run.onWrite(step);
    call.progress(`${live.domain}: ${step.what}`);
    try {
      view = await live.write(view, mxBatch(live, view, step));
      failures = 0;
    } catch (error) {
      view = await readAgain(live, call, error, ++failures);
      if (!isDone(live, view, step)) continue;
    }
    await seeServed(run, step, adding, view);
    if (step.last === true) return view;
  }
}

/** Whether a write that was not confirmed was done all the same. */
function isDone(live: LiveDomain, view: View, step: MxStep): boolean {
  const { deletes, patches, posts } = journalBatch(live, view, step.journal);
  const added = [...step.add, ...step.patch.map(({ to }) => to)];
  const stands = (id: string) => view.records.some((record) => record.id === id);
  return (
    deletes.length + patches.length + posts.length === 0 &&
    includesAllMx(readMx(view), added) &&
    !step.remove.some(({ id }) => stands(id))
  );
}

function addedBy({ add, patch }: MxStep): FormerMx[] {
  return [...add, ...patch.map(({ to }) => to)];
}

async function allow({ beforeAdding }: MxRun, step: MxStep): Promise<void> {
  const adding = addedBy(step);
  if (adding.length > 0) await beforeAdding(adding.map(({ exchange }) => exchange));
}

/** What the zone says of the domain's MX; asks for a wildcard only where its MX answer, or are to answer again. */
export async function mxWorld(live: LiveDomain, view: View): Promise<MxWorld> {
  const { domain } = live;
  const present = readMx(view);
  const { mx: journal } = readJournal(view);
  const world = { domain, present, journal };
  // Copies of a wildcard's MX can stand only until the takeover is done, and again once they were put back.
  const mayBeCopies = journal?.inherited !== undefined && journal.phase !== "held";
  if (journal?.phase === "taking" || (present.length > 0 && !mayBeCopies)) return world;
  // Any other record at the name hides the wildcard (RFC 4592, section 2.2.1).
  if (view.records.some(({ type }) => type !== "MX")) return world;
  if (present.length === 0) {
    const answers = await live.askNameServers("MX");
    if (!answers.some(({ answer }) => answer.status === "ok")) return world;
  }
  const wildcard = await live.findWildcardMx();
  if (wildcard === undefined) return world;
  // While MX of the domain's own stand, the name servers' answer does not tell what the wildcard would.
  if (present.length > 0 && !(await live.wouldInherit(wildcard.name))) return world;
  const mx = wildcard.mx.map(({ content, priority, ttl }) => ({
    exchange: content,
    preference: priority,
    ttl,
  }));
  return { ...world, inherited: { name: wildcard.name, mx } };
}

/** What stays must be served everywhere before anything is removed, and for the overlap. */
async function untilSafe({ live, call, overlapSeconds }: MxRun, step: MxStep, view: View) {
  const removed = new Set(step.remove.map(({ id }) => id));
  const stays = readMx(view).filter(({ id }) => !removed.has(id));
  const set = formatMxSet(stays);
  await untilServed(live, call, "MX", `every name server serves ${set}`, (answer) => {
    const served = servedMx(answer);
    return served !== undefined && includesAllMx(served, stays);
  });
  if (step.after !== "overlap") return;
  const why = `${live.domain}: old and new MX stand side by side before the old ones go`;
  await pause(overlapSeconds, call, why);
}

/** What was removed and stands nowhere any more must not be served; what was added must be. */
async function seeServed(
  { live, call }: MxRun,
  step: MxStep,
  added: readonly FormerMx[],
  view: View,
) {
  const inherits = step.journal === "removed";
  const gone = inherits ? [] : step.remove.filter((mx) => !includesMx(readMx(view), mx));
  if (added.length + gone.length === 0) return;
  const what = [
    ...(added.length > 0 ? [`every name server serves ${formatMxSet(added)}`] : []),
    ...(gone.length > 0 ? [`none serves ${formatMxSet(gone)}`] : []),
  ].join(" and ");
  await untilServed(live, call, "MX", what, (answer) => {
    const served = servedMx(answer);
    if (served === undefined || !includesAllMx(served, added)) return false;
    return !gone.some((mx) => includesMx(served, mx));
  });
}

/**
 * After a write that may not have been done: waits a little, longer each time, and reads again.
 *
 * @param failures how often in a row this has happened
 * @throws the error itself where it is of another kind, or comes too often
 */
export async function readAgain(
  live: LiveDomain,
  call: Call,
  error: unknown,
  failures: number,
): Promise<View> {
  const passing = error instanceof WriteUncertain || error instanceof WriteRefusedForNow;
  if (!passing || failures > WRITE_ATTEMPTS) throw error;
  const seconds =
    error instanceof WriteRefusedForNow ? error.retryAfterSeconds : 0.25 * 2 ** failures;
  await pause(seconds, call, `${live.domain}: ${error.message} Reading again`);
  return live.observe();
}

function mxBatch(live: LiveDomain, view: View, step: MxStep): Batch {
  const journal = journalBatch(live, view, step.journal);
  return {
    deletes: [...journal.deletes, ...step.remove.map(({ id }) => id)],
    patches: [
      ...journal.patches,
      ...step.patch.map(({ id, to }) => ({ id, ...blank(view, id), ...mxRecord(live.domain, to) })),
    ],
    posts: [...journal.posts, ...step.add.map((mx) => mxRecord(live.domain, mx))],
  };
}

/** What a patch must name to lose it: the comment, and the tags where there are any (a free plan has none). */
function blank({ records }: View, id: string): Pick<NewRecord, "comment" | "tags"> {
  const tagged = records.some((record) => record.id === id && record.tags !== undefined);
  return tagged ? { comment: "", tags: [] } : { comment: "" };
}

function mxRecord(name: string, { exchange, preference, ...rest }: FormerMx): NewRecord {
  return { ...rest, name, type: "MX", content: exchange, priority: preference };
}

/** The journal's records become those of the step: the head is changed in place, former MX come and go. */
function journalBatch(live: LiveDomain, view: View, journal: MxStep["journal"]): Batch {
  if (journal === undefined) return { deletes: [], patches: [], posts: [] };
  const present = view.journal.filter(({ content }) => isMxJournal(content));
  const wanted = journal === "removed" ? [] : formatMxJournal(journal);
  const head = present.find(({ content }) => isHead(content));
  const newHead = wanted.find(({ text }) => isHead(text));
  const keeps = (text: string) => wanted.some((record) => record.text === text);
  const stands = (text: string) => present.some((record) => record.content === text);
  const patched = head !== undefined && newHead !== undefined;
  return {
    deletes: present
      .filter((record) => (record === head ? !patched : !keeps(record.content)))
      .map(({ id }) => id),
    patches:
      patched && head.content !== newHead.text
        ? [{ id: head.id, ...journalRecord(live, newHead) }]
        : [],
    posts: wanted
      .filter((record) => (record === newHead ? !patched : !stands(record.text)))
      .map((record) => journalRecord(live, record)),
  };
}

function isHead(text: string): boolean {
  return journalKind(text) === "mx";
}

function isMxJournal(text: string): boolean {
  return isJournalText(text) && ["mx", "was"].includes(journalKind(text) ?? "");
}

export function journalRecord(live: LiveDomain, { text, ...rest }: JournalText): NewRecord {
  return { ...rest, name: live.journalName, type: "TXT", content: text, ttl: AUTOMATIC_TTL };
}
