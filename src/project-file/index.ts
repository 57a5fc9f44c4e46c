export { setKey, writeProjectFile } from './edit.ts';
export { type Explanation, explain } from './explain.ts';
export { datasetOf, findCycle, stepEdges, stepOrder } from './graph.ts';
export { nearest, suggestion } from './nearest.ts';
export { parseProjectFile, projectFileDigest } from './parse.ts';
export { jsonSchema } from './schema.ts';
export type * from './types.ts';
export { LIGHTS } from './types.ts';
