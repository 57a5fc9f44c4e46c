import { createReadStream } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import type { LabelStatus, LabelsAccepted } from '../../monitoring/index.ts';
import { addExamples, type CommandModule, usage } from '../command.ts';
import { sizeOfInput, toReadError } from '../input-file.ts';
import { cellsOf } from '../label-file.ts';
import { parseModelRef } from '../model-ref.ts';
import { textOf } from '../parse.ts';

const BATCH = 5_000;
const MAX_LINE = 1_000_000;

const send: CommandModule = {
  name: 'send',
  group: 'Live',
  summary: 'Send a file of labels',
  configure(cmd) {
    cmd
      .argument(
        '<file>',
        'CSV with a header line, or JSON lines: prediction_id, caller_id or entity and at; value; available_at',
      )
      .option('--endpoint <name>', 'an endpoint or a model; not needed where there is one');
    addExamples(cmd, [
      ['levain labels send outcomes.csv', 'columns prediction_id and value'],
      ['levain labels send outcomes.jsonl --endpoint churn', 'one object a line'],
    ]);
  },
  async run({ client, out, cwd, signal }, [file], options) {
    const endpoint = textOf(options['endpoint']);
    const total = { received: 0, created: 0, changed: 0, unchanged: 0, pending: 0 };
    let name = endpoint ?? '';
    for await (const labels of batchesOf(resolve(cwd, String(file)))) {
      const done = await client.post<LabelsAccepted>('/labels', { endpoint, labels }, { signal });
      name = done.endpoint;
      for (const key of ['received', 'created', 'changed', 'unchanged', 'pending'] as const) total[key] += done[key];
      out.progress(`${grouped(total.received)} labels sent`);
    }
    if (total.received === 0) throw usage(`${String(file)} holds no labels`);
    const parts = [
      `${grouped(total.created)} new`,
      `${grouped(total.changed)} corrected`,
      `${grouped(total.unchanged)} known`,
      `${grouped(total.pending)} wait for their predictions`,
    ];
    return {
      schema: 'labels/1',
      data: { endpoint: name, ...total },
      text: `${name} got ${grouped(total.received)} labels: ${parts.join(', ')}.`,
      next: [`levain labels status ${name}`, `levain monitor ${name}`],
    };
  },
};

const status: CommandModule = {
  name: 'status',
  group: 'Live',
  summary: 'Show how many predictions have labels, by day',
  configure(cmd) {
    cmd
      .argument('[model]', 'a model or an endpoint; not needed where there is one')
      .option('--days <n>', 'so many days of event time', '14');
    addExamples(cmd, [['levain labels status churn', 'the last fourteen days']]);
  },
  async run({ client, out }, [model], options) {
    const endpoint = model === undefined ? undefined : parseModelRef(model).model;
    const found = await client.get<LabelStatus>('/labels/status', {
      query: { endpoint, days: textOf(options['days']) },
    });
    const rows = found.days.map((day) => [
      day.day,
      grouped(day.predictions),
      grouped(day.labels),
      day.predictions === 0 ? '' : `${((day.labels / day.predictions) * 100).toFixed(0)} %`,
    ]);
    const pending = found.pending > 0 ? `\n${grouped(found.pending)} labels wait for their predictions.` : '';
    return {
      schema: 'label-status/1',
      data: found,
      text: `${rows.length === 0 ? 'No predictions yet.' : out.table(['day', 'predictions', 'labels', 'coverage'], rows)}${pending}`,
      next: [`levain monitor ${found.model}`],
    };
  },
};

export const command: CommandModule = {
  name: 'labels',
  group: 'Live',
  summary: 'Send labels',
  configure(cmd) {
    addExamples(cmd, [
      ['levain labels send outcomes.csv', 'what came true, by prediction id'],
      ['levain labels status churn', 'how many predictions have labels'],
    ]);
  },
  subcommands: [send, status],
};

const grouped = (n: number): string => n.toLocaleString('en-US');

async function* batchesOf(path: string): AsyncGenerator<readonly unknown[]> {
  let batch: unknown[] = [];
  let header: readonly string[] | undefined;
  let line = 0;
  const isJson = /\.(jsonl|ndjson|json)$/i.test(path);
  await sizeOfInput(path);
  try {
    for await (const text of createInterface({
      input: createReadStream(path, 'utf8'),
      crlfDelay: Number.POSITIVE_INFINITY,
    })) {
      line += 1;
      if (text.length > MAX_LINE) throw usage(`Line ${line} of ${path} has more than ${MAX_LINE} characters`);
      if (text.trim() === '') continue;
      if (isJson) batch.push(parseJson(text, path, line));
      else if (header) batch.push(toLabel(header, cellsOf(text)));
      else header = headerOf(text, path);
      if (batch.length < BATCH) continue;
      yield batch;
      batch = [];
    }
  } catch (error) {
    throw toReadError(path, error);
  }
  if (batch.length > 0) yield batch;
}

function parseJson(text: string, path: string, line: number): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    throw usage(`Line ${line} of ${path} is not JSON; write one object a line`);
  }
}

const KNOWN = ['prediction_id', 'caller_id', 'entity', 'at', 'value', 'available_at', 'source'];

function headerOf(text: string, path: string): readonly string[] {
  const header = cellsOf(text).map((name) => name.trim());
  if (header.includes('value') && header.some((name) => ['prediction_id', 'caller_id', 'entity'].includes(name)))
    return header;
  throw usage(
    `${path} has the columns ${header.join(', ')}; a label needs value and one of prediction_id, caller_id, entity`,
  );
}

/** Numbers stay text for ids and become numbers for values; columns that are none of ours are left out. */
function toLabel(header: readonly string[], cells: readonly string[]): Record<string, unknown> {
  const label: Record<string, unknown> = {};
  header.forEach((name, i) => {
    const cell = cells[i]?.trim() ?? '';
    if (cell === '' || !KNOWN.includes(name)) return;
    if (name === 'value') label[name] = toValue(cell);
    else if (name === 'at' || name === 'available_at') label[name] = toIso(cell);
    else label[name] = cell;
  });
  return label;
}

const toValue = (cell: string): string | number | boolean =>
  cell === 'true' || cell === 'false' ? cell === 'true' : Number.isFinite(Number(cell)) ? Number(cell) : cell;

function toIso(cell: string): string {
  const time = Date.parse(
    /^\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.\d+)?)?$/.test(cell) ? `${cell.replace(' ', 'T')}Z` : cell,
  );
  if (Number.isNaN(time)) throw usage(`"${cell}" is not a time; write ISO 8601, for example 2026-01-31T12:00:00Z`);
  return new Date(time).toISOString();
}
