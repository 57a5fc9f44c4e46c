import { InvalidArgumentError } from 'commander';
import { addExamples, type CommandModule } from '../command.ts';

interface Line {
  readonly at: string;
  readonly eventAt: string | null;
  readonly kind: string;
  readonly subject: string;
  readonly sentence: string;
  readonly command: string | null;
}

export const command: CommandModule = {
  name: 'activity',
  group: 'Live',
  summary: 'Print the timeline',
  configure(command) {
    command
      .option('-n, --limit <count>', 'lines at most', parseCount, 50)
      .option('--about <subject>', 'only this model, version, run or dataset')
      .option(
        '--kind <kind>',
        'only one kind: data, run, gate, approval, deploy, rollout, incident, rehearsal, hold, label',
      );
    addExamples(command, [
      ['levain activity', 'what happened lately'],
      ['levain activity --about churn -n 200', 'the life of one model'],
      ['levain activity --kind incident --json', 'incidents for a script'],
    ]);
  },
  async run({ client, out }, _args, options) {
    const query = { limit: String(options['limit']), subject: text(options['about']), kind: text(options['kind']) };
    const { items } = await client.get<{ items: readonly Line[] }>('/activity', { query });
    const lines = [...items].reverse();
    const rows = lines.map((line) => [toTime(line.eventAt ?? line.at), line.kind, line.sentence, line.command ?? '']);
    return {
      schema: 'activity/1',
      data: { items: lines },
      text:
        lines.length === 0 ? 'Nothing happened yet.' : out.table(['when', 'what', 'what happened', 'shown by'], rows),
      next: lines.length === 0 ? ['levain up'] : [],
    };
  },
};

const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
const toTime = (iso: string): string => iso.slice(0, 16).replace('T', ' ');

function parseCount(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1 || count > 1000)
    throw new InvalidArgumentError('write a number from 1 to 1000.');
  return count;
}
