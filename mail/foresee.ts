/** What a run would leave, for a preview: its steps carried out on a picture of the zone. */
import type { MxStep, MxWorld } from "./mx-goal.ts";

/** More steps than a run ever takes. */
const STEP_LIMIT = 10;

/** The zone as it is when nothing is left to do. @throws MailRuleError as the run would */
export function foresee(world: MxWorld, next: (world: MxWorld) => MxStep | undefined): MxWorld {
  let now = world;
  for (let taken = 0; taken < STEP_LIMIT; taken++) {
    const step = next(now);
    if (step === undefined) return now;
    now = applyStep(now, step, taken);
    if (step.last === true) return now;
  }
  return now;
}

/**
 * The zone after the step.
 *
 * @param taken how many steps came before, for identifiers of what is added
 */
export function applyStep({ journal, ...world }: MxWorld, step: MxStep, taken: number): MxWorld {
  const removed = new Set(step.remove.map(({ id }) => id));
  const present = world.present
    .filter(({ id }) => !removed.has(id))
    .map((mx) => {
      const patch = step.patch.find(({ id }) => id === mx.id);
      return patch === undefined ? mx : { ...patch.to, id: mx.id };
    });
  const added = step.add.map((mx, index) => ({ ...mx, id: `added ${taken}.${index}` }));
  return {
    ...world,
    present: [...present, ...added],
    journal: step.journal === "removed" ? undefined : (step.journal ?? journal),
  };
}
