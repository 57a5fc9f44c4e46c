import { type Health, Status } from '../../ui/status.tsx';
import type { Drop } from './name.ts';

const HEALTH: Readonly<Record<Drop['state'], readonly [Health, string]>> = {
  receiving: ['unknown', 'not started'],
  running: ['running', 'running'],
  done: ['good', 'done'],
  waiting: ['watch', 'waits for approval'],
  failed: ['bad', 'failed'],
  cancelled: ['unknown', 'cancelled'],
};

export function DropStatus({ state }: { readonly state: Drop['state'] }) {
  const [health, word] = HEALTH[state];
  return <Status health={health} word={word} />;
}
