import type { Bus } from '../http/index.ts';
import type { Outbox } from '../outbox/index.ts';
import { afterCommit } from '../ports/after-commit.ts';

/** The same outbox, whose events also hint to pages that listen here, once they are committed. */
export const hinting = (outbox: Outbox, bus: Bus): Outbox => ({
  ...outbox,
  async publish(tx, event) {
    await outbox.publish(tx, event);
    afterCommit(tx, () => bus.publish({ projectId: event.projectId, topic: event.topic }));
  },
});
