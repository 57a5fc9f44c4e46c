import { exact, number } from '../../../ui/format.ts';
import { Part } from '../../../ui/page.tsx';
import { type Column, Table } from '../../../ui/table.tsx';
import type { Version } from './verdict.ts';

type Metric = readonly [name: string, value: number];

const COLUMNS: readonly Column<Metric>[] = [
  { id: 'name', header: 'metric', value: ([name]) => name },
  {
    id: 'value',
    header: 'value',
    numeric: true,
    value: ([, value]) => value,
    cell: ([, value]) => <span title={exact(value)}>{number(value, 4)}</span>,
  },
];

/** What its run logged; the gate's own are above. */
export function Metrics({ version }: { readonly version: Version }) {
  return (
    <Part title="Metrics of its run">
      <Table
        label="Metrics of its run"
        rows={Object.entries(version.metrics)}
        columns={COLUMNS}
        rowId={([name]) => name}
        height={320}
        empty="Its run logged no metric."
      />
    </Part>
  );
}
