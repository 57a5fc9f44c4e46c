import type { RehearsalView } from '../../monitoring/index.ts';
import { addExamples, type CommandContext, type CommandModule, type CommandResult, EXIT, usage } from '../command.ts';
import { parseModelRef } from '../model-ref.ts';
import { textOf } from '../parse.ts';

const KINDS = ['unit-change', 'nulls', 'new-category', 'shift', 'broken-model', 'slow-model', 'late-labels'];
const POLL_MS = 500;
/** Characters of a report in the list; `--show` has the rest. */
const SHOWN = 90;

export const command: CommandModule = {
  name: 'rehearse',
  group: 'Live',
  summary: 'Rehearse a failure on your own model, marked as such',
  configure(cmd) {
    cmd
      .argument('[kind]', KINDS.join(', '))
      .argument('[model]', 'a model or an endpoint')
      .option('--column <name>', 'the raw column to spoil; default: the most important one that fits')
      .option('--factor <x>', 'unit-change: what it is multiplied by (1.609344)')
      .option(
        '--share <x>',
        'share of the rows that are spoiled (nulls, new-category: 0.3; others: 1), or that fail (broken-model --fault errors: 0.3); broken-model: the constant answer',
      )
      .option(
        '--amount <x>',
        'shift: standard deviations (1); slow-model: milliseconds (six times what it takes now, 100 or more)',
      )
      .option('--fault <kind>', 'broken-model: constant or errors')
      .option('--rows <n>', 'so many rows; default: the last day that was logged, with training rows where it is thin')
      .option('--dry-run', 'say what would happen')
      .option('--no-wait', 'do not wait for its end')
      .option('--show <id>', 'the report of an earlier one');
    addExamples(cmd, [
      ['levain rehearse unit-change flights --column distance', 'a day of miles arrives in kilometres'],
      ['levain rehearse nulls churn --share 0.2', 'every fifth value of the most important column is missing'],
      ['levain rehearse broken-model flights', 'a version with a constant answer is rolled out to tagged requests'],
      ['levain rehearse late-labels churn', 'labels stop coming'],
      ['levain rehearse --show ID', 'what an earlier rehearsal found'],
    ]);
  },
  async run(context, [kind, model], options) {
    const shown = textOf(options['show']);
    if (shown !== undefined)
      return toResult(await context.client.get<RehearsalView>(`/rehearsals/${encodeURIComponent(shown)}`));
    if (kind === undefined) return list(context);
    if (!KINDS.includes(String(kind)))
      throw usage(`"${String(kind)}" cannot be rehearsed; there are ${KINDS.join(', ')}`);
    if (model === undefined) throw usage(`Say on which model: levain rehearse ${String(kind)} MODEL`);
    const numbers = numbersOf(options, ['factor', 'amount', 'share', 'rows']);
    checkNumbers(String(kind), numbers);
    const body = {
      kind,
      model: parseModelRef(model).model,
      column: textOf(options['column']),
      fault: faultOf(options),
      ...numbers,
    };
    if (options['dryRun'] === true) return toPlan(await context.client.post('/rehearsals', { ...body, dryRun: true }));
    const started = await context.client.post<RehearsalView>('/rehearsals', body);
    return toResult(options['wait'] === false ? started : await follow(context, started));
  },
};

function checkNumbers(kind: string, { amount, share, rows, factor }: Record<string, number>): void {
  if ((kind === 'nulls' || kind === 'new-category') && amount !== undefined && !(amount > 0 && amount <= 1))
    throw usage(`--amount is a share of the rows for ${kind}: from 0 to 1, such as 0.3; got ${amount}`);
  if (kind === 'slow-model' && amount !== undefined && !(amount >= 1 && amount <= 60_000))
    throw usage(`--amount is how many milliseconds the version takes longer, from 1 to 60000; got ${amount}`);
  if (share !== undefined && !(share >= 0 && share <= 1))
    throw usage(`--share is from 0 to 1, such as 0.3; got ${share}`);
  if (rows !== undefined && !(Number.isInteger(rows) && rows >= 1 && rows <= 20_000))
    throw usage(`--rows is a whole number from 1 to 20000; got ${rows}`);
  if (factor !== undefined && !(factor > 0)) throw usage(`--factor is above 0, such as 1.609344 or 100; got ${factor}`);
}

function faultOf(options: Readonly<Record<string, unknown>>): string | undefined {
  const fault = textOf(options['fault']);
  if (fault === undefined || fault === 'constant' || fault === 'errors') return fault;
  throw usage(`--fault is constant or errors; got "${fault}"`);
}

function numbersOf(options: Readonly<Record<string, unknown>>, names: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    names.flatMap((name) => {
      const text = textOf(options[name]);
      if (text === undefined) return [];
      const value = Number(text);
      if (!Number.isFinite(value)) throw usage(`--${name} takes a number; got "${text}"`);
      return [[name, value]];
    }),
  );
}

async function follow({ client, out, signal }: CommandContext, started: RehearsalView): Promise<RehearsalView> {
  let latest = started;
  while (latest.state === 'running' && !signal.aborted) {
    const { report } = latest;
    out.progress(`REHEARSAL ${latest.kind}: ${report.requests} requests, ${report.alarm ?? report.sentence}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    latest = await client.get<RehearsalView>(`/rehearsals/${latest.id}`);
  }
  return latest;
}

const toPlan = (planned: RehearsalView): CommandResult => ({
  schema: 'rehearsal/1',
  data: planned,
  text: `REHEARSAL ${planned.kind} of ${planned.model} would begin: ${planned.report.sentence}`,
  next: [`levain rehearse ${planned.kind} ${planned.model}`],
});

function toResult(rehearsal: RehearsalView): CommandResult {
  const { report } = rehearsal;
  const setsHold = rehearsal.kind === 'broken-model' || rehearsal.kind === 'slow-model';
  return {
    schema: 'rehearsal/1',
    data: rehearsal,
    text: [
      `REHEARSAL ${rehearsal.kind} of ${rehearsal.model}, ${rehearsal.state}: ${report.sentence}`,
      ...report.acted.map((line) => `  ${line}`),
      ...(report.cost === null ? [] : [`  cost: ${report.cost}`]),
    ].join('\n'),
    next: [
      ...(rehearsal.state === 'running' ? [`levain rehearse --show ${rehearsal.id}`] : []),
      ...(rehearsal.incident === null ? [] : [`levain why ${rehearsal.incident}`]),
      ...(setsHold && report.alarm !== null ? [`levain resume ${rehearsal.model}`] : []),
    ],
    exitCode: rehearsal.state === 'failed' ? EXIT.failure : EXIT.ok,
  };
}

async function list({ client, out }: CommandContext): Promise<CommandResult> {
  const { items } = await client.get<{ items: RehearsalView[] }>('/rehearsals');
  const rows = items.map((each) => [
    each.startedAt.slice(0, 16).replace('T', ' '),
    each.kind,
    each.model,
    each.state,
    each.report.sentence.length > SHOWN ? `${each.report.sentence.slice(0, SHOWN)}…` : each.report.sentence,
    each.id,
  ]);
  return {
    schema: 'rehearsals/1',
    data: { items },
    text:
      items.length === 0
        ? 'No rehearsals yet.'
        : out.table(['started', 'kind', 'model', 'state', 'report', 'id'], rows),
    next: ['levain rehearse unit-change MODEL'],
  };
}
