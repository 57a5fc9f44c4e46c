import { Button } from '@mantine/core';
import { useState } from 'react';
import { csvOf, download } from '../../../ui/csv.ts';
import { Dropdown } from '../../../ui/dropdown.tsx';
import { number } from '../../../ui/format.ts';
import classes from './live.module.css';
import { everyPrediction, type Filters, MOST_EXPORTED, type Prediction } from './use-predictions.ts';

const OWN = [
  'id',
  'callerId',
  'requestId',
  'eventTime',
  'receivedAt',
  'version',
  'role',
  'status',
  'error',
  'label',
  'score',
  'fallback',
  'latencyMs',
  'entity',
] as const;

/** What passes the filters, as a file: flat for spreadsheets, whole for programs. */
export function Export({ endpoint, filters }: { readonly endpoint: string; readonly filters: Filters }) {
  const [state, setState] = useState('');
  const write = async (kind: 'CSV' | 'JSONL'): Promise<void> => {
    setState('Reading …');
    try {
      const rows = await everyPrediction(endpoint, filters);
      if (kind === 'CSV') download(`${endpoint}-predictions`, toCsv(rows));
      else download(`${endpoint}-predictions.jsonl`, toJsonl(rows), 'application/x-ndjson');
      setState(
        `${number(rows.length)} written${rows.length === MOST_EXPORTED ? ', which is all that one file takes' : ''}`,
      );
    } catch (error) {
      setState(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <Dropdown label="Export">
      <div className={classes['panel']} style={{ gap: 8 }}>
        <span className="muted">Up to {number(MOST_EXPORTED)} predictions that pass the filters.</span>
        <span className={classes['tools']}>
          {(['CSV', 'JSONL'] as const).map((kind) => (
            <Button key={kind} size="xs" variant="default" onClick={() => void write(kind)}>
              {kind}
            </Button>
          ))}
        </span>
        <span role="status">{state}</span>
      </div>
    </Dropdown>
  );
}

function toCsv(rows: readonly Prediction[]): string {
  const inputs = [...new Set(rows.flatMap(({ features }) => Object.keys(features)))];
  const cell = (value: unknown): string | number | null =>
    value === null || value === undefined ? null : typeof value === 'number' ? value : String(value);
  return csvOf(
    [...OWN, 'truth', ...inputs.map((name) => `input.${name}`)],
    rows.map((row) => [
      ...OWN.map((name) => cell(row[name])),
      cell(row.truth?.value),
      ...inputs.map((name) => cell(row.features[name])),
    ]),
  );
}

const toJsonl = (rows: readonly Prediction[]): string => rows.map((row) => `${JSON.stringify(row)}\n`).join('');
