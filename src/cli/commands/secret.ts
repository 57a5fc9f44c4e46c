import { addExamples, type CommandModule } from '../command.ts';
import { readSecret } from '../prompts.ts';

const set: CommandModule = {
  name: 'set',
  group: 'Admin',
  summary: 'Set a secret; levain.yaml names it as $NAME',
  configure(command) {
    command.argument('<name>', 'capital letters, digits and "_"');
    addExamples(command, [
      ['levain secret set SLACK_URL', 'asks for it'],
      ['levain secret set DB_URL < file', 'reads the first line of a file'],
    ]);
  },
  async run(context, [name]) {
    const value = await readSecret(context, `Value of ${name}`);
    await context.client.put(`/secrets/${encodeURIComponent(String(name))}`, { value });
    return { schema: 'secret/1', data: { name, set: true }, text: `Set ${name}.`, next: ['levain secret list'] };
  },
};

const list: CommandModule = {
  name: 'list',
  group: 'Admin',
  summary: 'List the names of secrets',
  configure() {},
  async run({ client }) {
    const { items } = await client.get<{ items: readonly string[] }>('/secrets');
    return { schema: 'secrets/1', data: { items }, text: items.length === 0 ? 'No secrets.' : items.join('\n') };
  },
};

const remove: CommandModule = {
  name: 'remove',
  group: 'Admin',
  summary: 'Remove a secret',
  configure(command) {
    command.argument('<name>', 'as "levain secret list" shows it');
  },
  async run({ client, ask }, [name]) {
    const question = `What reads $${name} fails from now on. Remove it?`;
    if (!(await ask(question)))
      return { schema: 'secret/1', data: { name, removed: false }, text: 'Nothing was removed.' };
    await client.delete(`/secrets/${encodeURIComponent(String(name))}`);
    return {
      schema: 'secret/1',
      data: { name, removed: true },
      text: `Removed ${name}.`,
      next: ['levain secret list'],
    };
  },
};

export const command: CommandModule = {
  name: 'secret',
  group: 'Admin',
  summary: 'Set, list and remove secrets',
  configure() {},
  subcommands: [set, list, remove],
};
