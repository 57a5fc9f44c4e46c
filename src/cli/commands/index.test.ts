import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { Command } from 'commander';
import type { CommandModule } from '../command.ts';
import { COMMANDS } from './index.ts';

test('every file of a command is in the list, and says of itself what the list says', async () => {
  const files = readdirSync(new URL('.', import.meta.url)).filter((name) => !/^index\.|\.test\.ts$/.test(name));
  assert.deepEqual(COMMANDS.map(({ name }) => `${name}.ts`).sort(), files.sort());
  for (const entry of COMMANDS) {
    const command = await entry.load();
    assert.deepEqual([command.name, command.group, command.summary], [entry.name, entry.group, entry.summary]);
  }
});

test('every command, and every one below it, can be configured, does something, and has a summary', async () => {
  for (const entry of COMMANDS) check(await entry.load());
});

function check(module: CommandModule): void {
  module.configure(new Command(module.name));
  assert.ok(module.run || (module.subcommands?.length ?? 0) > 0, `${module.name} does nothing`);
  assert.match(module.summary, /^[A-Z].*[^.]$/, module.name);
  for (const each of module.subcommands ?? []) check(each);
}
