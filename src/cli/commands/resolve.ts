import type { IncidentView } from '../../monitoring/index.ts';
import { addExamples, type CommandModule } from '../command.ts';
import { incidentNumber } from '../incident-view.ts';
import { textOf } from '../parse.ts';

export const command: CommandModule = {
  name: 'resolve',
  group: 'Live',
  summary: 'Resolve an incident',
  configure(cmd) {
    cmd.argument('<incident>', 'its number').option('--reason <text>', 'why it is over, kept with it');
    addExamples(cmd, [['levain resolve 12 --reason "the export is fixed"', 'it is over']]);
  },
  async run({ client }, [id], options) {
    const number = incidentNumber(id);
    const reason = textOf(options['reason']);
    const incident = await client.post<IncidentView>(
      `/incidents/${number}/resolve`,
      reason === undefined ? {} : { reason },
    );
    return {
      schema: 'incident/1',
      data: incident,
      text: `Incident ${number} of ${incident.model} is resolved: ${incident.resolution}`,
      next: [`levain monitor ${incident.model}`],
    };
  },
};
