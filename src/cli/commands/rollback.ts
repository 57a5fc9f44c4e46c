import type { Rollback } from '../../serving/types.ts';
import { addExamples, type CommandModule, EXIT } from '../command.ts';
import { parseModelRef } from '../model-ref.ts';

export const command: CommandModule = {
  name: 'rollback',
  group: 'Ship',
  summary: 'Go back to the previous version, and hold',
  configure(cmd) {
    cmd
      .argument('<model>', 'a model or an endpoint')
      .option('--reason <text>', 'why, kept with the hold')
      .option('--dry-run', 'say what would happen');
    addExamples(cmd, [
      ['levain rollback churn', 'asks, with how many answers differ'],
      ['levain rollback churn --yes --reason "complaints"', 'at once'],
    ]);
  },
  async run({ client, ask }, [name], options) {
    const body = {
      name: parseModelRef(name).model,
      ...(options['reason'] ? { reason: String(options['reason']) } : {}),
    };
    const planned = await client.post<Rollback>('/rollbacks', { ...body, dryRun: true });
    if (options['dryRun'] === true) return { schema: 'rollback/1', data: planned, text: planned.sentence };
    if (!(await ask(`${planned.sentence} Roll back?`)))
      return { schema: 'rollback/1', data: planned, text: 'Nothing was rolled back.' };
    const done = await client.post<Rollback>('/rollbacks', { ...body, from: planned.from });
    const to = done.to === null ? 'no version' : `v${done.to}`;
    return {
      schema: 'rollback/1',
      data: done,
      text: `${done.endpoint} is back at ${to}. ${done.model} is HELD: no retraining or promotion until resume.`,
      next: ['levain status', `levain resume ${done.model}`],
      exitCode: EXIT.ok,
    };
  },
};
