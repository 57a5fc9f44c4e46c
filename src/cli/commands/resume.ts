import type { Hold } from '../../registry/index.ts';
import { addExamples, type CommandModule } from '../command.ts';
import { parseModelRef } from '../model-ref.ts';

export const command: CommandModule = {
  name: 'resume',
  group: 'Ship',
  summary: 'Lift a hold',
  configure(cmd) {
    cmd.argument('<model>');
    addExamples(cmd, [['levain resume churn', 'retraining and promotion may go on']]);
  },
  async run({ client }, [name]) {
    const { model } = parseModelRef(name);
    const hold = await client.post<Hold>(`/models/${encodeURIComponent(model)}/resume`);
    const text = `${model} is no longer held. It had been held since ${new Date(hold.setAt).toISOString()}: ${hold.reason}`;
    return { schema: 'hold/1', data: hold, text, next: ['levain status'] };
  },
};
