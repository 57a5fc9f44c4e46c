import type { MonitorView } from '../../monitoring/index.ts';
import { addExamples, type CommandModule, type Output } from '../command.ts';
import { parseModelRef } from '../model-ref.ts';
import { textOf } from '../parse.ts';

const SHOWN_DAYS = 14;

export const command: CommandModule = {
  name: 'monitor',
  group: 'Live',
  summary: 'Show the lights of a model, with numbers',
  configure(cmd) {
    cmd
      .argument('<model>', 'a model or an endpoint')
      .option('--days <n>', 'so many days of event time', '30')
      .option('--features', 'every watched column of the newest window');
    addExamples(cmd, [
      ['levain monitor churn', 'lights, performance by day, and what is tested'],
      ['levain monitor churn --features', 'drift column by column'],
      ['levain monitor churn --days 90 --json', 'every window with its numbers'],
    ]);
  },
  async run({ client, out }, [name], options) {
    const { model } = parseModelRef(name);
    const path = `/models/${encodeURIComponent(model)}/monitor`;
    const view = await client.get<MonitorView>(path, { query: { days: textOf(options['days']) } });
    const parts = [headOf(view), lightsOf(out, view), performanceOf(out, view), budgetOf(view)];
    if (options['features'] === true) parts.splice(2, 0, featuresOf(out, view));
    return {
      schema: 'monitor/1',
      data: view,
      text: parts.filter((part) => part !== '').join('\n\n'),
      next: [`levain alerts ${model}`, `levain labels status ${model}`],
    };
  },
};

const headOf = ({ model, version, endpoint, eventClock }: MonitorView): string =>
  `${model} ${version === null ? 'is not live' : `v${version}`} at "${endpoint}"${eventClock ? `, event clock ${eventClock.slice(0, 16).replace('T', ' ')}` : ''}`;

const lightsOf = (out: Output, { lights }: MonitorView): string =>
  out.table(
    ['light', 'state', 'why'],
    Object.entries(lights).map(([light, { state, sentence }]) => [light, state, sentence]),
  );

function featuresOf(out: Output, { features }: MonitorView): string {
  const number = (value: unknown, digits: number): string => (typeof value === 'number' ? value.toFixed(digits) : '');
  const rows = features.map((f) => [
    f['name'],
    number(f['effect'], 4),
    typeof f['p'] === 'number' ? f['p'].toPrecision(2) : '',
    number(f['psi'], 4),
    number(f['jensenShannon'], 3),
    number(f['importance'], 3),
  ]);
  return rows.length === 0
    ? 'No window has ended yet.'
    : out.table(['column', 'effect', 'p', 'psi', 'js', 'importance'], rows);
}

function performanceOf(out: Output, { performance }: MonitorView): string {
  if (performance.length === 0) return '';
  const show = (value: number | null | undefined, digits = 3): string =>
    value === null || value === undefined ? '' : value.toFixed(digits);
  const rows = performance
    .slice(-SHOWN_DAYS)
    .map((day) => [
      day.day,
      day.version === null ? '' : `v${day.version}`,
      day.predictions,
      `${(day.coverage * 100).toFixed(0)} %`,
      show(day.loss),
      show(day.metrics['auc']),
      show(day.observed),
      show(day.predicted),
    ]);
  return out.table(['day', 'version', 'predictions', 'labels', 'loss', 'auc', 'observed', 'predicted'], rows);
}

function budgetOf({ falseAlarms: { count, perDays, thresholds, detectableShift } }: MonitorView): string {
  const shift =
    detectableShift === null
      ? ''
      : ` A numeric column that moves by ${detectableShift.toFixed(2)} standard deviations is found in a day, 8 times in 10.`;
  return `False alarms: ${count} in ${perDays} days for all tests together (drift tested at ${thresholds['drift']!.toPrecision(2)}, twice in three days).${shift}`;
}
