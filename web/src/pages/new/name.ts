import type { AnswerOf } from '../../api/routes.ts';

export type Drop = AnswerOf<'GET /drops/:id'>;

/** The model's name, else the folder's. */
export const nameOf = ({ model, folder }: Pick<Drop, 'model' | 'folder'>): string =>
  model ?? folder.split(/[\\/]/).at(-1) ?? folder;
