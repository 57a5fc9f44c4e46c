export { systemClock } from './clock.ts';
export { createLog, type LogOptions } from './log.ts';
export { createMachine, type MachineOptions } from './machine.ts';
export { createNotifier, type NotifierOptions } from './notifier.ts';
export { systemRandom } from './random.ts';
export { openSecrets } from './secrets.ts';
