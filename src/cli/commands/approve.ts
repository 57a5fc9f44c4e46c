import type { ModelVersionWire } from '../../registry/wire.ts';
import { addExamples, type CommandModule } from '../command.ts';
import { parseModelRef, versionPath } from '../model-ref.ts';

export const command: CommandModule = {
  name: 'approve',
  group: 'Ship',
  summary: 'Approve a version',
  configure(cmd) {
    cmd.argument('<version>', 'churn@v8').option('--reason <text>', 'why, kept with the approval');
    addExamples(cmd, [['levain approve churn@v8 --reason "looks right"', 'lets v8 be deployed as the file says']]);
  },
  async run({ client, ask }, [name], options) {
    const ref = parseModelRef(name);
    const path = versionPath(ref, 'latest');
    const { sentence } = await client.get<{ sentence: string }>(`${path}/approval`);
    if (!(await ask(`${sentence} Approve?`)))
      return { schema: 'approval/1', data: { approved: false }, text: 'Nothing was approved.' };
    const version = await client.post<ModelVersionWire>(`${path}/approve`, { reason: options['reason'] });
    const text = `${version.model}@v${version.version} is approved.`;
    return {
      schema: 'model-version/1',
      data: version,
      text,
      next: [`levain rollout ${version.model}`, 'levain status'],
    };
  },
};
