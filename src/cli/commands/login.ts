import { createClient } from '../../client/client.ts';
import { AppError } from '../../kernel/errors.ts';
import { addExamples, type CommandModule } from '../command.ts';
import { textOf } from '../parse.ts';
import { readSecret } from '../prompts.ts';
import { saveFolderRecord, saveToken } from '../records.ts';
import { findServerInfo } from '../server-process.ts';

export const command: CommandModule = {
  name: 'login',
  group: 'Admin',
  summary: 'Record a server for this folder, and its token for this machine',
  configure(command) {
    command
      .argument('[url]', 'the server (default: --url, LEVAIN_URL, or this folder’s)')
      .option('--user <name>', 'log in with a password instead of a token');
    addExamples(command, [
      ['levain login https://levain.acme.io', 'asks for a token'],
      ['levain login https://levain.acme.io --user ann', 'asks for a password'],
      ['levain login http://127.0.0.1:4747 < token-file', 'without a terminal'],
    ]);
  },
  async run(context, [given], options) {
    const url = textOf(given)?.replace(/\/+$/, '') ?? (await context.client.address()).url;
    if (!(await findServerInfo(url))) throw new AppError('unavailable', `No Levain answers at ${url}`);
    const user = textOf(options['user']);
    const token =
      user === undefined
        ? await readSecret(context, 'Token')
        : await exchange(url, user, await readSecret(context, `Password of ${user}`));
    await createClient(async () => ({ url, token })).get('/projects');
    await saveToken(context.env, url, token);
    await saveFolderRecord(context.cwd, { url });
    return { schema: 'login/1', data: { url }, text: `Logged in at ${url}.`, next: ['levain status'] };
  },
};

async function exchange(url: string, user: string, password: string): Promise<string> {
  const answer = await createClient(async () => ({ url })).post<{ token: string }>('/login', { user, password });
  return answer.token;
}
