import type { Why } from '../../monitoring/index.ts';
import { addExamples, type CommandModule } from '../command.ts';

export const command: CommandModule = {
  name: 'why',
  group: 'Live',
  summary: 'Say why: a run, step, version, prediction, alert or incident',
  configure(cmd) {
    cmd.argument(
      '<id>',
      'an incident number, 12/data.units, churn@v7, a prediction, run, RUN/STEP, rollout or rehearsal',
    );
    addExamples(cmd, [
      ['levain why 12', 'what incident 12 says, and what was done'],
      ['levain why 019b6f0e-…', 'what each column did to one answer'],
      ['levain why churn@v7', 'data, gate, parity and approval of a version'],
      ['levain why 4f2a9c1/train', 'why a step ran or was taken from the cache'],
    ]);
  },
  async run({ client }, [id]) {
    const found = await client.get<Why>(`/why/${encodeURIComponent(String(id).replace(/^#/, ''))}`);
    const links = found.links.map(({ what, url }) => `  ${what}: ${url}`);
    return { schema: 'why/1', data: found, text: [...found.lines, ...links].join('\n'), next: found.next };
  },
};
