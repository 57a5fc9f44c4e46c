import type { IncidentView } from '../../monitoring/index.ts';
import { addExamples, type CommandModule } from '../command.ts';
import { incidentNumber, incidentText } from '../incident-view.ts';

export const command: CommandModule = {
  name: 'ack',
  group: 'Live',
  summary: 'Acknowledge an incident',
  configure(cmd) {
    cmd.argument('<incident>', 'its number');
    addExamples(cmd, [['levain ack 12', 'you look at it; nobody else is called']]);
  },
  async run({ client }, [id]) {
    const number = incidentNumber(id);
    const incident = await client.post<IncidentView>(`/incidents/${number}/ack`);
    return {
      schema: 'incident/1',
      data: incident,
      text: incidentText(incident),
      next: [`levain why ${number}`, `levain resolve ${number}`],
    };
  },
};
