import type { Client } from '../client/client.ts';
import type { RowsRead } from '../data/index.ts';
import type { Contributions } from '../engines/contributions.ts';
import type { Signature } from '../engines/signature.ts';
import { AppError, isAppError } from '../kernel/errors.ts';
import type { ModelVersionWire } from '../registry/wire.ts';
import type { Endpoint } from '../serving/types.ts';
import type { Row } from './tensors.ts';

/** Rows of the newest version of the data that the endpoint's model learned from: what it takes, and the entity. */
export async function dataRows(
  client: Client,
  { model, champion, entity }: Pick<Endpoint, 'model' | 'champion' | 'entity'>,
  numbers: readonly number[],
): Promise<{ readonly rows: readonly Row[]; readonly signature: Signature }> {
  const version = await client.get<ModelVersionWire>(
    `/models/${encodeURIComponent(model)}/versions/${champion ?? 'champion'}`,
  );
  const dataset = version.data[0]?.dataset;
  const { signature } = version;
  if (dataset === undefined || !signature)
    throw new AppError('invalid', `${model} was made from no dataset; give the row itself: --row '{"column": value}'`);
  const wanted = new Set([...signature.inputs.map(({ name }) => name), ...(entity === null ? [] : [entity])]);
  const rows = await Promise.all(
    numbers.map(async (number) => {
      const path = `/datasets/${encodeURIComponent(dataset)}/versions/latest/rows`;
      const { rows, rowCount } = await client.get<RowsRead>(path, { query: { offset: number } });
      const row = rows[0];
      if (!row)
        throw new AppError(
          'not_found',
          `${dataset} has ${rowCount} rows, so the last one is --row ${rowCount - 1}; got ${number}`,
        );
      return Object.fromEntries(Object.entries(row).filter(([name]) => wanted.has(name)));
    }),
  );
  return { rows, signature };
}

/** The command that asks the same without us; pasted into a shell it is one line. */
export const curlOf = (url: string, body: string): string =>
  `curl -s ${url} -H 'content-type: application/json' -d '${body.replaceAll("'", "'\\''")}'`;

/** What moved an answer, or why that cannot be said. */
export interface Mattered {
  readonly contributions: Contributions | null;
  readonly reason: string | null;
}

const SHOWN = 2;
/** A prediction is there once its log was shipped; that takes a second or two. */
const LOG_LIMIT_MS = 8_000;
const LOG_POLL_MS = 250;

/** The contributions of each raw column to this answer; undefined where the log does not have it in time. */
export async function whatMattered(client: Client, id: string, signal: AbortSignal): Promise<Mattered | undefined> {
  const until = Date.now() + LOG_LIMIT_MS;
  while (!signal.aborted) {
    try {
      const { data } = await client.get<{ data: Partial<Mattered> & { contributionsReason?: string | null } }>(
        `/why/${id}`,
        { signal },
      );
      return { contributions: data.contributions ?? null, reason: data.contributionsReason ?? null };
    } catch (error) {
      if (!isAppError(error, 'not_found')) throw error;
      if (Date.now() > until) return undefined;
      await new Promise((resolve) => setTimeout(resolve, LOG_POLL_MS));
    }
  }
  return undefined;
}

/** @example `mattered most: Contract = Month-to-month (+12.1 points), tenure = 3 (+4.4 points)` */
export function matteredText({ contributions, reason }: Mattered): string {
  if (!contributions) return reason === null ? '' : `what mattered cannot be said: ${reason}`;
  const most = [...contributions.features]
    .sort((a, b) => Math.abs(b.contribution) - Math.abs(a.contribution))
    .slice(0, SHOWN)
    .map(
      ({ name, value, contribution }) =>
        `${name} = ${value ?? 'missing'} (${amountOf(contribution, contributions.scale)})`,
    );
  return `mattered most: ${most.join(', ')}`;
}

function amountOf(contribution: number, scale: Contributions['scale']): string {
  if (scale === 'log') return `×${shorten(Math.exp(contribution))}`;
  const sign = contribution < 0 ? '−' : '+';
  const size = Math.abs(contribution);
  if (scale === 'probability') return `${sign}${shorten(size * 100)} points`;
  return `${sign}${shorten(size)}${scale === 'logit' ? ' log-odds' : ''}`;
}

const shorten = (value: number): string => String(Number(value.toPrecision(3)));
