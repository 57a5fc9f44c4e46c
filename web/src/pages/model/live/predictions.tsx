import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useMemo } from 'react';
import { placeOfVersion } from '../../../domain/places.ts';
import { FilterBar } from '../../../ui/filter-bar.tsx';
import { duration, exact, number, shortId } from '../../../ui/format.ts';
import { GoLink } from '../../../ui/link.tsx';
import { Part } from '../../../ui/page.tsx';
import { Empty, Failure, Rows } from '../../../ui/states.tsx';
import { Status } from '../../../ui/status.tsx';
import { type Column, Table } from '../../../ui/table.tsx';
import { EventTime } from '../../../ui/time.tsx';
import { useTableView, useViewState } from '../../../ui/view-state.ts';
import type { ModelStatus } from '../layout.tsx';
import { type Input, isNumeric, toField } from '../try-it/request.ts';
import { Export } from './export.tsx';
import classes from './live.module.css';
import { PredictionPanel } from './prediction-panel.tsx';
import { type Filters, isFiltered, type Prediction, useFilters, usePredictions } from './use-predictions.ts';

interface PredictionsProps {
  readonly model: ModelStatus;
  readonly endpoint: string;
  readonly inputs: readonly Input[];
}

/** The newest answers with what came true of them; a row opens beside the list. */
export function Predictions({ model, endpoint, inputs }: PredictionsProps) {
  const [filters, set] = useFilters();
  const [open, setOpen] = useViewState('prediction');
  const view = useTableView('p');
  const { data, error, refetch, isPaused, pause, resume, more, isCut } = usePredictions(endpoint, filters);
  const columns = useMemo(() => columnsOf(model.name, inputs), [model.name, inputs]);
  return (
    <Part
      title="Recent predictions"
      tools={
        <span className={classes['tools']}>
          <Status health={isPaused ? 'watch' : 'running'} word={isPaused ? 'paused' : 'live'} />
          <Button size="xs" variant="default" onClick={isPaused ? resume : pause} aria-pressed={isPaused}>
            {isPaused ? 'Go on' : 'Pause'}
          </Button>
          <Export endpoint={endpoint} filters={filters} />
        </span>
      }
    >
      <FilterBar
        label="Filter predictions by id, caller's id or entity"
        placeholder="id, caller's id or entity"
        value={filters.text}
        onChange={set.text}
        columns={columns}
        hidden={view.hidden}
        onHide={view.onHide}
      >
        <Choices filters={filters} set={set} />
      </FilterBar>
      {!data && (error ? <Failure error={error} retry={() => void refetch()} /> : <Rows />)}
      {data && data.items.length === 0 && <Nothing filters={filters} />}
      {data && data.items.length > 0 && (
        <Table
          label="Predictions"
          rows={data.items}
          columns={columns}
          rowId={({ id }) => id}
          hidden={view.hidden}
          sort={view.sort}
          onSort={view.onSort}
          onOpen={({ id }) => setOpen(id)}
          selected={new Set([open])}
          height={420}
        />
      )}
      {data && (
        <p className={`${classes['filters']} muted`}>
          {number(data.items.length)} shown, the newest first
          {data.searchedTo && ` of those since ${data.searchedTo.slice(0, 16).replace('T', ' ')}`}
          {more && (
            <Button size="compact-xs" variant="default" onClick={more}>
              Show more
            </Button>
          )}
          {isCut && 'narrow the time for older ones'}
        </p>
      )}
      <PredictionPanel id={open} onClose={() => setOpen(undefined)} />
    </Part>
  );
}

function Nothing({ filters }: { readonly filters: Filters }) {
  if (isFiltered(filters)) return <Empty>No prediction passes these filters.</Empty>;
  return <Empty>No prediction is logged yet; ask the endpoint, for instance with the form above.</Empty>;
}

function Choices({ filters, set }: { readonly filters: Filters; readonly set: ReturnType<typeof useFilters>[1] }) {
  const choice = (name: 'label' | 'status', label: string, values: Readonly<Record<string, string>>) => (
    <NativeSelect
      size="xs"
      aria-label={label}
      value={filters[name]}
      onChange={(event) => set[name](event.currentTarget.value)}
      data={Object.entries(values).map(([value, word]) => ({ value, label: word }))}
    />
  );
  const time = (name: 'from' | 'to') => (
    <TextInput
      size="xs"
      type="datetime-local"
      aria-label={`${name} event time, UTC`}
      value={filters[name]}
      onChange={(event) => set[name](event.currentTarget.value)}
    />
  );
  return (
    <>
      <TextInput
        size="xs"
        w={88}
        aria-label="Version"
        placeholder="version"
        inputMode="numeric"
        value={filters.version}
        onChange={(event) => set.version(event.currentTarget.value.replace(/\D/g, ''))}
      />
      {choice('label', 'Label', { '': 'any label', known: 'label known', missing: 'no label yet' })}
      {choice('status', 'Answer', { '': 'any answer', ok: 'answered', error: 'failed', refused: 'refused' })}
      <span className={classes['dates']}>
        {time('from')} to {time('to')} UTC
      </span>
    </>
  );
}

function columnsOf(model: string, inputs: readonly Input[]): readonly Column<Prediction>[] {
  return [
    {
      id: 'at',
      header: 'event time',
      title: 'UTC',
      width: 150,
      value: ({ eventTime }) => eventTime,
      cell: ({ eventTime }) => <EventTime at={eventTime} />,
    },
    { id: 'id', header: 'id', value: ({ id }) => id, cell: ({ id }) => <code title={id}>{shortId(id)}</code> },
    {
      id: 'version',
      header: 'version',
      value: ({ version }) => (version === null ? null : `v${version}`),
      cell: ({ version, role }) => (
        <>
          {version === null ? '—' : <GoLink to={placeOfVersion(model, version)}>v{version}</GoLink>}{' '}
          {role !== 'champion' && <span className="muted">{role}</span>}
        </>
      ),
    },
    { id: 'answer', header: 'answer', value: answerOf, cell: (row) => <Answer row={row} /> },
    {
      id: 'score',
      header: 'score',
      numeric: true,
      value: ({ score }) => score,
      cell: ({ score }) => <span title={exact(score)}>{number(score)}</span>,
    },
    {
      id: 'truth',
      header: 'came true',
      title: 'The label, as the target column says it',
      value: ({ truth }) => (truth === null ? null : String(truth.value)),
      cell: ({ truth }) => (truth === null ? <span className="muted">—</span> : <span>{String(truth.value)}</span>),
    },
    {
      id: 'latency',
      header: 'latency',
      title: 'Of the whole request, in the gateway',
      numeric: true,
      value: ({ latencyMs }) => latencyMs,
      cell: ({ latencyMs }) => <span title={`${exact(latencyMs)} ms`}>{duration(latencyMs)}</span>,
    },
    ...inputs.map(
      (input): Column<Prediction> => ({
        id: `in ${input.name}`,
        header: input.name,
        title: input.type,
        numeric: isNumeric(input),
        value: ({ features }) => toValue(input, features[input.name]),
        cell: ({ features }) => <Value value={toValue(input, features[input.name])} />,
      }),
    ),
    { id: 'caller', header: "caller's id", value: ({ callerId }) => callerId },
    { id: 'entity', header: 'entity', value: ({ entity }) => entity },
  ];
}

function toValue(input: Input, value: unknown): string | number | null {
  if (typeof value === 'number' && input.type !== 'datetime') return value;
  return toField(input, value);
}

function Value({ value }: { readonly value: string | number | null }) {
  if (value === null) return <span className="muted">null</span>;
  if (typeof value === 'number') return <span title={exact(value)}>{number(value, 6)}</span>;
  return <bdi title={String(value)}>{String(value)}</bdi>;
}

const answerOf = ({ status, label, error }: Prediction): string | null =>
  status === 'ok' ? (label === null ? null : String(label)) : (error ?? status);

function Answer({ row }: { readonly row: Prediction }) {
  const { status, label, error, fallback } = row;
  if (status !== 'ok')
    return (
      <Status
        health={status === 'refused' ? 'watch' : 'bad'}
        word={status === 'refused' ? 'refused' : 'failed'}
        {...(error && { title: error })}
      />
    );
  return (
    <>
      {label === null ? '—' : String(label)}{' '}
      {fallback && <strong title="The fallback answered, not the model">FALLBACK</strong>}
    </>
  );
}
