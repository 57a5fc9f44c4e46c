import { addExamples, type CommandModule } from '../command.ts';
import { parseModelRef } from '../model-ref.ts';

export const command: CommandModule = {
  name: 'hold',
  group: 'Ship',
  summary: 'Hold a model: no retraining, no promotion',
  configure(cmd) {
    cmd.argument('<model>').requiredOption('--reason <text>', 'why, shown wherever the model is');
    addExamples(cmd, [['levain hold churn --reason "source under repair"', 'until "levain resume churn"']]);
  },
  async run({ client }, [name], options) {
    const { model } = parseModelRef(name);
    const hold = await client.post(`/models/${encodeURIComponent(model)}/hold`, { reason: options['reason'] });
    const text = `${model} is HELD: no retraining or promotion until resume.`;
    return { schema: 'hold/1', data: hold, text, next: [`levain resume ${model}`] };
  },
};
