import { addExamples, type CommandModule } from '../command.ts';
import { parseCount, textOf } from '../parse.ts';

interface Token {
  readonly id: string;
  readonly name: string;
  readonly user: string | null;
  readonly createdAt: string;
  readonly expiresAt: string | null;
}

const create: CommandModule = {
  name: 'create',
  group: 'Admin',
  summary: 'Create a token; it is shown once',
  configure(command) {
    command
      .option('--user <name>', 'whose rights it has')
      .option('--gateway', 'a token for a gateway elsewhere instead')
      .option('--name <text>', 'what it is for', 'cli')
      .option('--days <count>', 'until it expires (default: never)', parseCount(1, 3650));
    addExamples(command, [
      ['levain tokens create --user ann --name ci --days 90', 'for a build server'],
      ['levain tokens create --gateway --name edge-1', 'for "levain gateway --token-file"'],
    ]);
  },
  async run({ client }, _args, options) {
    const body = {
      user: textOf(options['user']),
      name: textOf(options['name']),
      gateway: options['gateway'] === true,
      ...(options['days'] === undefined ? {} : { days: options['days'] }),
    };
    const data = await client.post<{ token: string }>('/tokens', body);
    return { schema: 'token/1', data, text: data.token, next: ['levain tokens list'] };
  },
};

const list: CommandModule = {
  name: 'list',
  group: 'Admin',
  summary: 'List live tokens',
  configure() {},
  async run({ client, out }) {
    const { items } = await client.get<{ items: readonly Token[] }>('/tokens');
    const rows = items.map(({ id, user, name, createdAt, expiresAt }) => [
      id,
      user,
      name,
      createdAt.slice(0, 10),
      expiresAt?.slice(0, 10) ?? 'never',
    ]);
    return {
      schema: 'tokens/1',
      data: { items },
      text: items.length === 0 ? 'No tokens.' : out.table(['id', 'user', 'for', 'since', 'until'], rows),
    };
  },
};

const revoke: CommandModule = {
  name: 'revoke',
  group: 'Admin',
  summary: 'Revoke a token',
  configure(command) {
    command.argument('<id>', 'as "levain tokens list" shows it');
  },
  async run({ client }, [id]) {
    await client.delete(`/tokens/${encodeURIComponent(String(id))}`);
    return { schema: 'token/1', data: { id, revoked: true }, text: 'Revoked.', next: ['levain tokens list'] };
  },
};

export const command: CommandModule = {
  name: 'tokens',
  group: 'Admin',
  summary: 'Create, list and revoke tokens',
  configure() {},
  subcommands: [create, list, revoke],
};
