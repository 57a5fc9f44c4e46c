import { addExamples, type CommandModule, usage } from '../command.ts';
import { textOf } from '../parse.ts';
import { readSecret } from '../prompts.ts';

interface Person {
  readonly name: string;
  readonly role: string;
  readonly createdAt: string;
}

const add: CommandModule = {
  name: 'add',
  group: 'Admin',
  summary: 'Add a user with a role in this project, and print a token for them',
  configure(command) {
    command
      .argument('<name>', 'lower-case letters, digits, ".", "_" or "-"')
      .option('--role <role>', 'viewer, editor, approver or admin (the first user is admin)')
      .option('--password', 'ask for a password, so that "levain login --user" works');
    addExamples(command, [
      ['levain users add ann --role admin', 'the first user: from then on a token is needed'],
      ['levain users add bob --role editor --password', 'one who logs in with a password'],
    ]);
  },
  async run(context, [name], options) {
    const { client } = context;
    const password = options['password'] === true ? await readSecret(context, `Password for ${name}`) : undefined;
    const role = textOf(options['role']) ?? 'admin';
    await context.ask(`Add ${name} as ${role}? Once there are users, every request needs a token.`).then((answer) => {
      if (!answer) throw usage('Nothing was changed');
    });
    const { user, token } = await client.post<{ user: Person; token: string }>('/users', { name, role, password });
    return {
      schema: 'user/1',
      data: { ...user, token },
      text: `Added ${user.name} as ${user.role}. Their token, shown once:\n${token}`,
      next: ['levain login', 'levain users list'],
    };
  },
};

const list: CommandModule = {
  name: 'list',
  group: 'Admin',
  summary: 'List users and their roles in this project',
  configure() {},
  async run({ client, out }) {
    const { items } = await client.get<{ items: readonly Person[] }>('/users');
    const rows = items.map(({ name, role, createdAt }) => [name, role, createdAt.slice(0, 10)]);
    const text =
      items.length === 0
        ? 'No users: whoever reaches this server may do everything.'
        : out.table(['name', 'role', 'since'], rows);
    return {
      schema: 'users/1',
      data: { items },
      text,
      next: items.length === 0 ? ['levain users add NAME --role admin'] : [],
    };
  },
};

export const command: CommandModule = {
  name: 'users',
  group: 'Admin',
  summary: 'Add and list users',
  configure() {},
  subcommands: [add, list],
};
