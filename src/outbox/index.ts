export type { FailedDelivery } from './outbox.store.ts';
export { createOutbox, type NewEvent, type Outbox, type OutboxDeps, publish } from './outbox.ts';
