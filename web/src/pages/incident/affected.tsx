import { useMemo } from 'react';
import { addressOf } from '../../api/client.ts';
import { useGet } from '../../api/queries.ts';
import type { AnswerOf } from '../../api/routes.ts';
import { placeOfWhy } from '../../domain/places.ts';
import { exact, number, shortId } from '../../ui/format.ts';
import { Part } from '../../ui/page.tsx';
import { Failure, Rows } from '../../ui/states.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { EventTime } from '../../ui/time.tsx';
import classes from './incident.module.css';
import type { Incident } from './page.tsx';

type Prediction = AnswerOf<'GET /incidents/:number/predictions'>['items'][number];

const SHOWN = 200;
/** So many inputs stand as columns of their own; an export holds all of them. */
const INPUTS_SHOWN = 12;

/** Predictions that it concerns, the newest first; all of them as a file. */
export function Affected({ incident }: { readonly incident: Incident }) {
  const params = { number: incident.number };
  const { data, error, refetch } = useGet('GET /incidents/:number/predictions', { params, query: { limit: SHOWN } });
  const dates = useDates(incident);
  const columns = useMemo(() => columnsOf(data?.items ?? [], dates), [data, dates]);
  if (error && !data) return <Failure error={error} retry={() => void refetch()} />;
  const total = data && Math.max(data.total, data.items.length);
  return (
    <Part title="Affected predictions" tools={total ? <Exports number={incident.number} total={total} /> : undefined}>
      {!data || total === undefined ? (
        <Rows count={6} />
      ) : total === 0 ? (
        <p className="muted">
          None: {incident.version === null ? 'it' : `v${incident.version}`} answered no request in that time.
        </p>
      ) : (
        <>
          <p className={classes['text']}>
            <span title={exact(total)}>{number(total)}</span> from <EventTime at={data.from} /> to{' '}
            <EventTime at={data.to} />
            {data.items.length < total && `; the newest ${data.items.length} are shown`}.
          </p>
          <Table
            label="Affected predictions"
            rows={data.items}
            columns={columns}
            rowId={({ id }) => id}
            to={({ id }) => placeOfWhy(id)}
            height={380}
          />
        </>
      )}
    </Part>
  );
}

function Exports({ number: id, total }: { readonly number: number; readonly total: number }) {
  const address = (format: string) => addressOf('/incidents/:number/predictions/export', { number: id }, { format });
  return (
    <span className={classes['exports']}>
      All {number(total)} as
      <a href={address('csv')} download={`incident-${id}.csv`}>
        CSV
      </a>
      <a href={address('jsonl')} download={`incident-${id}.jsonl`}>
        JSON lines
      </a>
    </span>
  );
}

/** Inputs that are points in time by the version's signature: the log keeps them as numbers. */
function useDates({ model, version }: Incident): ReadonlySet<string> {
  const params = { model, version: version ?? 0 };
  const { data } = useGet('GET /models/:model/versions/:version', { params }, { enabled: version !== null });
  return useMemo(
    () => new Set((data?.signature?.inputs ?? []).filter(({ type }) => type === 'datetime').map(({ name }) => name)),
    [data],
  );
}

function columnsOf(items: readonly Prediction[], dates: ReadonlySet<string>): readonly Column<Prediction>[] {
  const inputs = Object.keys(items[0]?.features ?? {}).slice(0, INPUTS_SHOWN);
  const hasEntity = items.some(({ entity }) => entity !== null);
  return [
    {
      id: 'id',
      header: 'prediction',
      title: 'opens why it was answered so',
      value: ({ id }) => id,
      cell: ({ id }) => <span className="mono">{shortId(id)}</span>,
    },
    {
      id: 'at',
      header: 'event time',
      value: ({ eventTime }) => eventTime,
      cell: ({ eventTime }) => <EventTime at={eventTime} />,
    },
    ...(hasEntity ? [{ id: 'entity', header: 'entity', value: ({ entity }: Prediction) => entity }] : []),
    {
      id: 'label',
      header: 'answer',
      value: ({ label, status }) => (status === 'ok' ? textOf(label) : status),
    },
    { id: 'score', header: 'score', numeric: true, value: ({ score }) => score, cell: ({ score }) => number(score) },
    {
      id: 'truth',
      header: 'came true',
      title: 'the label, in the terms of the target column',
      value: ({ truth }) => textOf(truth),
    },
    ...inputs.map(
      (name): Column<Prediction> => ({
        id: `input.${name}`,
        header: name,
        numeric:
          !dates.has(name) &&
          items.every(({ features }) => features[name] === null || typeof features[name] === 'number'),
        value: ({ features }) => (dates.has(name) ? dateOf(features[name]) : textOf(features[name])),
        cell: ({ features }) => (dates.has(name) ? <EventTime at={dateOf(features[name])} /> : cellOf(features[name])),
      }),
    ),
  ];
}

type CellValue = Prediction['label'] | undefined;

const textOf = (cell: CellValue): string | number | null => (typeof cell === 'boolean' ? String(cell) : (cell ?? null));
const dateOf = (cell: CellValue): string | null => {
  const at = new Date(cell as number | string);
  return cell === null || Number.isNaN(at.getTime()) ? null : at.toISOString();
};
const cellOf = (cell: CellValue): string => (typeof cell === 'number' ? number(cell) : String(textOf(cell) ?? '—'));
