import { resolve } from 'node:path';
import { addExamples, type CommandModule } from '../command.ts';
import { parsePort, textOf } from '../parse.ts';

export const command: CommandModule = {
  name: 'gateway',
  group: 'Admin',
  summary: 'Run a gateway only',
  configure(command) {
    command
      .requiredOption('--server <url>', 'the control plane that it asks for its configuration')
      .option('--dir <path>', 'where it keeps configuration and spool', '.levain-gateway')
      .option('--token-file <path>', 'its token, of "levain tokens create --gateway" (or LEVAIN_GATEWAY_TOKEN)')
      .option('--host <address>', 'address to listen on', '127.0.0.1')
      .option('--port <port>', 'port for predictions', parsePort, 4748);
    addExamples(command, [
      ['levain gateway --server https://levain.acme.io --token-file token', 'another place that answers predictions'],
    ]);
  },
  async run({ cwd, signal }, _args, options) {
    const dir = resolve(cwd, textOf(options['dir'])!);
    const tokenFile = textOf(options['tokenFile']);
    Object.assign(process.env, {
      LEVAIN_SERVER_URL: textOf(options['server']),
      LEVAIN_DATA_DIR: dir,
      LEVAIN_GATEWAY_DIR: resolve(dir, 'gateway'),
      LEVAIN_GATEWAY_HOST: textOf(options['host']),
      LEVAIN_GATEWAY_PORT: String(options['port']),
      ...(tokenFile === undefined ? {} : { LEVAIN_GATEWAY_TOKEN_FILE: resolve(cwd, tokenFile) }),
    });
    await import('../../gateway/main.ts');
    await new Promise<void>((done) => signal.addEventListener('abort', () => done(), { once: true }));
    await new Promise<never>(() => {});
    return undefined;
  },
};
