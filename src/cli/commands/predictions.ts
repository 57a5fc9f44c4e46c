import type { Prediction } from '../../serving/types.ts';
import { addExamples, type CommandModule } from '../command.ts';
import { parseModelRef } from '../model-ref.ts';
import { endpointPath } from '../rollout-view.ts';

export const command: CommandModule = {
  name: 'predictions',
  group: 'Live',
  summary: 'List logged predictions',
  configure(cmd) {
    cmd
      .argument('<endpoint>', 'an endpoint')
      .option('--from <time>', 'event time, ISO 8601, inclusive')
      .option('--to <time>', 'event time, exclusive')
      .option('--entity <id>', 'of one entity')
      .option('--caller-id <id>', "by the caller's own id")
      .option('--rehearsal <id>', 'of a rehearsal instead of real traffic')
      .option('--limit <n>', 'at most so many (1000)', '20');
    addExamples(cmd, [
      ['levain predictions churn', 'the last twenty'],
      ['levain predictions churn --entity 7590-VHVEG --json', 'of one customer, with all columns'],
    ]);
  },
  async run({ client, out }, [name], options) {
    const { from, to, entity, callerId, rehearsal, limit } = options as Readonly<Record<string, string | undefined>>;
    const endpoint = parseModelRef(name).model;
    const query = { endpoint, from, to, entity, callerId, rehearsal, limit };
    const { items } = await client.get<{ items: Prediction[] }>('/predictions', { query });
    if (items.length === 0) await client.get(endpointPath(endpoint));
    const rows = items.map((p) => [
      p.eventTime.slice(0, 19).replace('T', ' '),
      p.id,
      p.version === null ? '' : `v${p.version}`,
      p.role,
      p.entity ?? '',
      p.label ?? '',
      p.score === null ? '' : p.score.toFixed(4),
      p.status,
    ]);
    return {
      schema: 'predictions/1',
      data: { items },
      text:
        items.length === 0
          ? 'No predictions.'
          : out.table(['event time', 'id', 'version', 'arm', 'entity', 'label', 'score', 'status'], rows),
      next: items.slice(0, 1).map(({ id }) => `levain why ${id}`),
    };
  },
};
