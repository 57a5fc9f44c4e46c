import { addExamples, type CommandModule } from '../command.ts';
import { resolveDataDir } from '../records.ts';

export const command: CommandModule = {
  name: 'down',
  group: 'Start',
  summary: 'Stop the server and its gateway',
  configure(command) {
    command.option('--data-dir <path>', 'of which data directory (default: LEVAIN_DATA_DIR, else this folder’s)');
    addExamples(command, [['levain down', 'stop what "levain up" started here']]);
  },
  async run({ cwd, env, out }, _args, options) {
    const { stopAll } = await import('../../main/down.ts');
    const dataDir = await resolveDataDir(cwd, env, options['dataDir']);
    out.progress('Stopping');
    const stopped = await stopAll(dataDir);
    const names = [stopped.server ? 'the server' : '', stopped.gateway ? 'the gateway' : ''].filter(
      (name) => name !== '',
    );
    return {
      schema: 'down/1',
      data: { dataDir, ...stopped },
      text:
        names.length === 0 ? `Nothing runs on ${dataDir}.` : `Stopped ${names.join(' and ')}. Steps that run go on.`,
      next: ['levain up'],
    };
  },
};
