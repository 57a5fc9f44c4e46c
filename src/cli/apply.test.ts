import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../../test/support/temp.ts';
import { readProjectFile } from './apply.ts';

test('a file without a name is named by its folder, and messages name the file alone', async () => {
  const folder = join(tempDir(), 'churn');
  mkdirSync(folder);
  writeFileSync(join(folder, 'levain.yaml'), 'steps: { a: { run: "true" } }\n');
  assert.equal((await readProjectFile(folder)).file.name, 'churn');
  writeFileSync(join(folder, 'levain.yaml'), 'stpes: {}\n');
  await assert.rejects(readProjectFile(folder), /^AppError: levain\.yaml:1: key "stpes" is unknown/);
});
