import type { Migration } from './migration.ts';

export const migration: Migration = {
  id: '0008-monitoring',
  async up() {},
};
