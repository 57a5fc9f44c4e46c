import type { Signature } from '../engines/signature.ts';
import type { Cell } from '../kernel/frame.ts';
import type { Options } from './command.ts';

export type Row = Readonly<Record<string, Cell>>;

/**
 * Rows in the Open Inference Protocol: one input a column. The signature says what a column is whose cells do not: one that is
 * empty in these rows may hold numbers in others.
 */
export function toInfer(rows: readonly Row[], options: Options, signature?: Signature): object {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const types = new Map(signature?.inputs.map(({ name, type }) => [name, type]));
  const inputs = names.map((name) => {
    const data = rows.map((row) => row[name] ?? null);
    return { name, shape: [rows.length], datatype: datatypeOf(data, types.get(name)), data };
  });
  const parameters = {
    ...(typeof options['eventTime'] === 'string' ? { event_time: options['eventTime'] } : {}),
    ...(typeof options['entity'] === 'string' ? { entity: options['entity'] } : {}),
  };
  return { inputs, ...(Object.keys(parameters).length > 0 ? { parameters } : {}) };
}

function datatypeOf(data: readonly Cell[], type: Signature['inputs'][number]['type'] | undefined): string {
  const present = data.filter((value) => value !== null);
  if (present.length === 0) return type !== undefined && NUMERIC.includes(type) ? 'FP64' : 'BYTES';
  if (present.every((value) => typeof value === 'number')) return 'FP64';
  return present.every((value) => typeof value === 'boolean') ? 'BOOL' : 'BYTES';
}

const NUMERIC: readonly string[] = ['double', 'float', 'long', 'integer'];
