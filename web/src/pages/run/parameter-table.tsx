import { TextInput } from '@mantine/core';
import { useMemo, useState } from 'react';
import { Part } from '../../ui/page.tsx';
import { type Column, Table } from '../../ui/table.tsx';
import { useTableView } from '../../ui/view-state.ts';
import type { Run } from './page.tsx';

type Pair = readonly [key: string, value: string];

const MANY = 10;
const HEIGHT = 420;

/** What the run was given. Long values open on hover, and are found by what they hold. */
export function ParameterTable({ run }: { readonly run: Run }) {
  const [words, setWords] = useState('');
  const view = useTableView('p');
  const all = useMemo(() => Object.entries(run.params), [run.params]);
  const shown = useMemo(() => {
    const wanted = words.toLowerCase();
    return wanted === '' ? all : all.filter(([key, value]) => `${key}=${value}`.toLowerCase().includes(wanted));
  }, [all, words]);
  return (
    <Part
      title="Parameters"
      tools={
        all.length > MANY && (
          <TextInput
            size="xs"
            type="search"
            aria-label="Find a parameter"
            placeholder={`Find in ${all.length} parameters`}
            value={words}
            onChange={(event) => setWords(event.currentTarget.value)}
          />
        )
      }
    >
      <Table
        label="Parameters"
        rows={shown}
        columns={COLUMNS}
        rowId={([key]) => key}
        sort={view.sort}
        onSort={view.onSort}
        height={HEIGHT}
        empty={all.length === 0 ? 'This run was given no parameter.' : 'No parameter is like that.'}
      />
    </Part>
  );
}

const COLUMNS: readonly Column<Pair>[] = [
  { id: 'name', header: 'parameter', value: ([key]) => key },
  { id: 'value', header: 'value', value: ([, value]) => value, cell: ([, value]) => <code>{value}</code> },
];
