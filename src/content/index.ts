export type { CollectReport } from './collect.ts';
export type { ContentOwner } from './content.store.ts';
export { type Content, type ContentDeps, type ContentRef, createContent, type StagedContent } from './content.ts';
export { startContentWork } from './work.ts';
