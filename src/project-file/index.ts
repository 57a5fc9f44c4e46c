export type * from './types.ts';
export { LIGHTS } from './types.ts';
