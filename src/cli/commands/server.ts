import { addExamples, type CommandModule } from '../command.ts';
import { resolveDataDir } from '../records.ts';
import { addServerOptions, toServerOptions } from './up.ts';

export const command: CommandModule = {
  name: 'server',
  group: 'Admin',
  summary: 'Run the control plane only',
  configure(command) {
    addServerOptions(command);
    addExamples(command, [
      ['levain server --db postgres://… --objects s3://bucket', 'one of several replicas'],
      ['levain server --host 0.0.0.0 --port 4747', 'for others on the network; needs an administrator'],
    ]);
  },
  async run(context, _args, options) {
    const { startUp } = await import('../../main/up.ts');
    const dataDir = await resolveDataDir(context.cwd, context.env, options['dataDir']);
    const settings = toServerOptions(context, options, dataDir);
    const running = await startUp({ ...settings, withGateway: false, logTo: 'stderr' });
    const data = { url: running.url, gatewayUrl: null, dataDir, pid: process.pid };
    const text = `Levain's control plane is ready at ${running.url}`;
    if (context.json) context.out.item({ schema: 'server/1', ok: true, data, warnings: [], next: [] }, text);
    else context.out.line(text);
    await running.ended;
    return undefined;
  },
};
