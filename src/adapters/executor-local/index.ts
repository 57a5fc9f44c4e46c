export { createLocalExecutor } from './executor-local.ts';
