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
      .option('--data-dir <path>', 'where it keeps configuration and spool', '.levain-gateway')
      .option('--host <address>', 'address to listen on', '127.0.0.1')
      .option('--port <port>', 'port for predictions; 0 takes a free one', parsePort, 4748);
    command.addHelpText(
      'after',
      '\nIts token, of "levain tokens create --gateway", is read from LEVAIN_GATEWAY_TOKEN or DIR/gateway/token.',
    );
    addExamples(command, [
      ['levain gateway --server https://levain.acme.io', 'another place that answers predictions'],
    ]);
  },
  async run({ cwd }, _args, options) {
    Object.assign(process.env, {
      LEVAIN_DATA_DIR: resolve(cwd, textOf(options['dataDir'])!),
      LEVAIN_SERVER_URL: textOf(options['server']),
      LEVAIN_GATEWAY_HOST: textOf(options['host']),
      LEVAIN_GATEWAY_PORT: String(options['port']),
    });
    await import('../../gateway/main.ts');
    return new Promise<undefined>((resolve) => process.once('beforeExit', () => resolve(undefined)));
  },
};
