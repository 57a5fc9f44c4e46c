import type { Migration } from './migration.ts';

export const migration: Migration = {
  id: '0003-data',
  async up() {},
};
