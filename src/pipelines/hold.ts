import type { EngineDeps } from './engine.ts';
import { Fenced, type HeldStep } from './engine-types.ts';
import { moveStep, noteStep, putKeyParts } from './steps.store.ts';

/** A claimed step with the writes that its handler may make; each is refused once somebody else has the step. */
export function holdStep(
  deps: EngineDeps,
  start: Pick<HeldStep, 'run' | 'file' | 'step' | 'steps' | 'signal'>,
): HeldStep {
  let step = start.step;
  return {
    ...start,
    get step() {
      return step;
    },
    async start(change, parts, also) {
      return deps.db
        .write(async (tx) => {
          const moved = await moveStep(tx, step, 'start', { startedAt: deps.clock.now(), ...change });
          if (!moved) throw new Fenced(step);
          await putKeyParts(tx, step, parts);
          const result = await also(tx);
          return { moved, result };
        })
        .then(({ moved, result }) => {
          step = moved;
          return result;
        });
    },
    async note(change, parts) {
      await deps.db.write(async (tx) => {
        if (!(await noteStep(tx, step, change))) throw new Fenced(step);
        if (parts) await putKeyParts(tx, step, parts);
      });
    },
  };
}
