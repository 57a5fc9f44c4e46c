import { resolve } from 'node:path';
import type { Client } from '../../client/client.ts';
import { AppError } from '../../kernel/errors.ts';
import type { Cell } from '../../kernel/frame.ts';
import type { Endpoint } from '../../serving/types.ts';
import { addExamples, type CommandModule, type Options, usage } from '../command.ts';
import { readInput } from '../input-file.ts';
import { parseModelRef } from '../model-ref.ts';
import { textOf } from '../parse.ts';
import { curlOf, dataRows, matteredText, whatMattered } from '../prediction.ts';
import { endpointPath, inferUrl } from '../rollout-view.ts';
import { type Row, toInfer } from '../tensors.ts';

interface InferAnswer {
  readonly model_version?: string;
  readonly outputs?: readonly {
    readonly name: string;
    readonly shape: readonly number[];
    readonly data: readonly Cell[];
  }[];
  readonly parameters?: { readonly prediction_ids?: string | readonly string[] };
}

export const command: CommandModule = {
  name: 'predict',
  group: 'Live',
  summary: 'Ask an endpoint',
  configure(cmd) {
    cmd
      .argument('<endpoint>', 'an endpoint or a model')
      .option(
        '--row <row>',
        "one row as a JSON object, or its number in the newest version of the model's data, counted from 0; may be repeated",
        collect,
        [],
      )
      .option('--json-file <path>', 'a file with one object or a list of them')
      .option('--event-time <time>', 'date the request (endpoints with event_time: client), ISO 8601')
      .option('--entity <id>', 'who it is about')
      .option('--curl', 'print the curl command and ask nothing');
    addExamples(cmd, [
      ['levain predict churn --row 3', 'row 3 of its data (the fourth), and the features that mattered most'],
      [`levain predict churn --row '{"tenure": 3, "plan": "basic"}'`, 'one row'],
      ['levain predict churn --json-file rows.json', 'many'],
      [`levain predict churn --row '{"tenure": 3}' --curl`, 'the same without levain'],
    ]);
  },
  async run({ client, out, cwd, signal }, [name], options) {
    const asked = await askedOf(options, cwd);
    const endpoint = await client.get<Endpoint>(endpointPath(parseModelRef(name).model));
    const url = inferUrl(endpoint);
    if (!url) throw new AppError('unavailable', `No gateway answers for "${endpoint.name}"`, { hint: 'levain up' });
    const body = JSON.stringify(await requestOf(client, endpoint, asked, options));
    const curl = curlOf(url, body);
    if (options['curl'] === true) return { schema: 'curl/1', data: { url, curl }, text: curl };
    const answer = await ask(url, body, signal);
    const [id] = idsOf(answer);
    if (asked.numbers.length > 0) out.progress('Looking at what mattered');
    const mattered =
      asked.numbers.length === 0 || id === undefined ? undefined : await whatMattered(client, id, signal);
    return {
      schema: 'prediction/1',
      data: { url, curl, answer, ...mattered },
      text: [curl, tableOf(out.table, answer), ...(mattered ? [matteredText(mattered)] : [])].join('\n').trimEnd(),
      next: id === undefined ? [] : [`levain why ${id}`],
    };
  },
};

const collect = (value: string, before: readonly string[]): string[] => [...before, value];

async function ask(url: string, body: string, signal: AbortSignal): Promise<InferAnswer> {
  let response: Response;
  try {
    response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body, signal });
  } catch (error) {
    throw new AppError('unavailable', `The gateway does not answer at ${url}`, { hint: 'levain doctor' }, error);
  }
  const text = await response.text();
  if (response.ok) return JSON.parse(text) as InferAnswer;
  throw new AppError(response.status < 500 ? 'invalid' : 'unavailable', messageIn(text), {
    status: response.status,
    exitCode: 1,
  });
}

function messageIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: string | { message?: string } };
    const message = typeof error === 'string' ? error : error?.message;
    if (message) return message;
  } catch {}
  return text.slice(0, 500);
}

interface Asked {
  readonly rows: readonly Row[];
  /** Numbers of rows of the data. */
  readonly numbers: readonly number[];
}

/** What was typed, before any server is asked. */
async function askedOf(options: Options, cwd: string): Promise<Asked> {
  const texts = options['row'] as readonly string[];
  const path = textOf(options['jsonFile']);
  const fromFile = path === undefined ? [] : [await readInput(resolve(cwd, path))];
  const numbers = texts.filter((text) => ROW_NUMBER.test(text.trim())).map(Number);
  const given = [...texts.filter((text) => !ROW_NUMBER.test(text.trim())), ...fromFile];
  const rows = given.flatMap((text) => parseRows(text));
  if (rows.length + numbers.length === 0)
    throw usage('Give the rows: --row 3, --row \'{"column": value}\' or --json-file rows.json');
  return { rows, numbers };
}

const ROW_NUMBER = /^\d{1,12}$/;

async function requestOf(client: Client, endpoint: Endpoint, asked: Asked, options: Options): Promise<object> {
  if (asked.numbers.length === 0) return toInfer(asked.rows, options);
  const { rows, signature } = await dataRows(client, endpoint, asked.numbers);
  return toInfer([...rows, ...asked.rows], options, signature);
}

function parseRows(text: string): Row[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new AppError('invalid', `The row is not JSON: ${(error as Error).message}`);
  }
  const rows = Array.isArray(value) ? value : [value];
  for (const row of rows)
    if (typeof row !== 'object' || row === null || Array.isArray(row))
      throw new AppError('invalid', `A row is an object of columns, such as {"tenure": 3}; got ${JSON.stringify(row)}`);
  return rows as Row[];
}

/** The protocol's parameters are scalars, so that the ids come as one text. */
function idsOf(answer: InferAnswer): readonly string[] {
  const ids = answer.parameters?.prediction_ids ?? [];
  return typeof ids === 'string' ? ids.split(',') : ids;
}

function tableOf(table: (header: string[], rows: unknown[][]) => string, answer: InferAnswer): string {
  const outputs = answer.outputs ?? [];
  const count = outputs[0]?.shape[0] ?? 0;
  const rows = Array.from({ length: count }, (_, row) => [
    idsOf(answer)[row] ?? '',
    ...outputs.map(({ shape, data }) => {
      const width = shape[1] ?? 1;
      return data.slice(row * width, (row + 1) * width).join(' ');
    }),
  ]);
  return table(['id', ...outputs.map(({ name }) => name)], rows);
}
