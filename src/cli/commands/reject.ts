import type { ModelVersionWire } from '../../registry/wire.ts';
import { addExamples, type CommandModule, usage } from '../command.ts';
import { parseModelRef, versionPath } from '../model-ref.ts';

export const command: CommandModule = {
  name: 'reject',
  group: 'Ship',
  summary: 'Reject a version',
  configure(cmd) {
    cmd.argument('<version>', 'churn@v8').requiredOption('--reason <text>', 'why, kept with the version');
    addExamples(cmd, [['levain reject churn@v8 --reason "slices look worse"', 'v8 will not be deployed']]);
  },
  async run({ client }, [name], options) {
    const ref = parseModelRef(name);
    if (ref.version === undefined) throw usage(`"${ref.model}" names no version`, `levain models show ${ref.model}`);
    const version = await client.post<ModelVersionWire>(`${versionPath(ref)}/reject`, { reason: options['reason'] });
    const text = `${version.model}@v${version.version} is rejected; the champion stays.`;
    return { schema: 'model-version/1', data: version, text, next: [`levain models show ${version.model}`] };
  },
};
