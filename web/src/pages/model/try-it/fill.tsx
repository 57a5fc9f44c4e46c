import { Button, NumberInput } from '@mantine/core';
import { useState } from 'react';
import { call } from '../../../api/client.ts';
import { useGet } from '../../../api/queries.ts';
import { Dropdown } from '../../../ui/dropdown.tsx';
import { shortId } from '../../../ui/format.ts';
import { EventTime } from '../../../ui/time.tsx';
import classes from './try-it.module.css';

interface FillProps {
  readonly endpoint: string;
  /** The dataset that the version learned from; null where it was made from none. */
  readonly dataset: string | null;
  readonly onFill: (values: Readonly<Record<string, unknown>>) => void;
}

const RECENT = 12;

/** Fills the row from an answered request, or from a row of the data. */
export function Fill({ endpoint, dataset, onFill }: FillProps) {
  return (
    <>
      <Dropdown label="From a recent prediction">
        <Recent endpoint={endpoint} onFill={onFill} />
      </Dropdown>
      {dataset !== null && (
        <Dropdown label="From a row of the data">
          <FromData dataset={dataset} onFill={onFill} />
        </Dropdown>
      )}
    </>
  );
}

function Recent({ endpoint, onFill }: Pick<FillProps, 'endpoint' | 'onFill'>) {
  const { data } = useGet('GET /predictions', { query: { endpoint, limit: RECENT } });
  if (!data || data.items.length === 0) return <p className="muted">No prediction is logged yet.</p>;
  return (
    <ul className={classes['recent']}>
      {data.items.map(({ id, eventTime, label, features }) => (
        <li key={id}>
          <button type="button" onClick={() => onFill(features)}>
            <EventTime at={eventTime} /> <code>{shortId(id)}</code> answered {String(label ?? '—')}
            <span className="muted"> {Object.values(features).map(String).join(', ').slice(0, 60)}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

function FromData({ dataset, onFill }: { readonly dataset: string } & Pick<FillProps, 'onFill'>) {
  const [row, setRow] = useState<string | number>(0);
  const [said, setSaid] = useState('');
  const fill = async (): Promise<void> => {
    setSaid('Reading …');
    try {
      const params = { name: dataset, version: 'latest' };
      const read = await call('GET /datasets/:name/versions/:version/rows', {
        params,
        query: { offset: Number(row), limit: 1 },
      });
      const values = read.rows[0];
      if (values) onFill(values);
      setSaid(
        values ? `Row ${row} of ${dataset} v${read.version}.` : `${dataset} has ${read.rowCount} rows; the first is 0.`,
      );
    } catch (error) {
      setSaid(error instanceof Error ? error.message : String(error));
    }
  };
  return (
    <div className={classes['fromData']}>
      <NumberInput
        size="xs"
        label={`Row of ${dataset}, the first is 0`}
        min={0}
        value={row}
        onChange={setRow}
        onKeyDown={(event) => {
          // It stands inside the form that asks.
          if (event.key !== 'Enter') return;
          event.preventDefault();
          void fill();
        }}
      />
      <Button size="xs" variant="default" onClick={() => void fill()}>
        Fill
      </Button>
      <span role="status">{said}</span>
    </div>
  );
}
