import type { IncidentView } from '../../monitoring/index.ts';
import { addExamples, type CommandModule } from '../command.ts';
import { parseModelRef } from '../model-ref.ts';
import { textOf } from '../parse.ts';
import { endpointPath } from '../rollout-view.ts';

export const command: CommandModule = {
  name: 'alerts',
  group: 'Live',
  summary: 'List incidents',
  configure(cmd) {
    cmd
      .argument('[model]', 'only of this model')
      .option('--open', 'only those that are open')
      .option('--limit <n>', 'at most so many (200)', '20');
    addExamples(cmd, [
      ['levain alerts', 'the newest twenty'],
      ['levain alerts churn --open', 'what is open for one model'],
    ]);
  },
  async run({ client, out }, [name], options) {
    const model = name === undefined ? undefined : parseModelRef(name).model;
    const query = { model, limit: textOf(options['limit']), ...(options['open'] === true && { state: 'open' }) };
    const { items } = await client.get<{ items: IncidentView[] }>('/incidents', { query });
    if (items.length === 0 && model !== undefined) await client.get(endpointPath(model));
    const rows = items.map((incident) => [
      incident.number,
      incident.since.slice(0, 16).replace('T', ' '),
      incident.model,
      incident.light,
      `${incident.state}${incident.rehearsal === null ? '' : ' (rehearsal)'}`,
      incident.sentence,
    ]);
    return {
      schema: 'incidents/1',
      data: { items },
      text: items.length === 0 ? 'No incidents.' : out.table(['no', 'since', 'model', 'light', 'state', 'what'], rows),
      next: items.slice(0, 1).map(({ number }) => `levain why ${number}`),
    };
  },
};
