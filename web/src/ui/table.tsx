import {
  type ColumnDef,
  columnVisibilityFeature,
  createSortedRowModel,
  FlexRender,
  type RowData,
  rowSortingFeature,
  type SortingState,
  sortFns,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type ReactNode, useMemo, useRef, useState } from 'react';
import classes from './table.module.css';

const features = tableFeatures({
  rowSortingFeature,
  columnVisibilityFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns,
});

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  /** What sorts and is exported. */
  readonly value: (row: Row) => string | number | null | undefined;
  /** What stands in the cell; the value where absent. */
  readonly cell?: (row: Row) => ReactNode;
  /** Numbers stand at the right, in tabular figures. */
  readonly numeric?: boolean;
  readonly width?: number;
}

interface TableProps<Row> {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly rowId: (row: Row) => string;
  readonly hidden?: readonly string[];
  readonly sort?: { readonly column: string; readonly descending: boolean } | undefined;
  readonly onSort?: (sort: { readonly column: string; readonly descending: boolean } | undefined) => void;
  readonly onOpen?: (row: Row) => void;
  readonly selected?: ReadonlySet<string>;
  readonly onSelect?: (ids: ReadonlySet<string>) => void;
  /** Height of the scrolled part; rows beyond 200 are virtual. */
  readonly height?: number;
}

const ROW_HEIGHT = 32;
const VIRTUAL_FROM = 200;

/** The one table: sticky header, sorting, keyboard rows (j/k or arrows, Enter opens, x selects), virtual where long. */
export function Table<Row extends RowData>(props: TableProps<Row>) {
  const { rows, columns, rowId, hidden, sort, onSort } = props;
  const [own, setOwn] = useState<SortingState>([]);
  const sorting = sort ? [{ id: sort.column, desc: sort.descending }] : onSort ? [] : own;
  const definitions = useMemo(() => columns.map(toDefinition), [columns]);
  const table = useTable({
    features,
    data: rows as Row[],
    columns: definitions,
    getRowId: rowId,
    state: { sorting, columnVisibility: Object.fromEntries((hidden ?? []).map((id) => [id, false])) },
    onSortingChange: (update: SortingState | ((before: SortingState) => SortingState)) => {
      const next = typeof update === 'function' ? update(sorting) : update;
      if (onSort) onSort(next[0] && { column: next[0].id, descending: next[0].desc });
      else setOwn(next);
    },
  });
  return <Body {...props} table={table} shown={columns.filter(({ id }) => !hidden?.includes(id))} />;
}

function toDefinition<Row extends RowData>(column: Column<Row>): ColumnDef<typeof features, Row, unknown> {
  return {
    id: column.id,
    header: column.header,
    accessorFn: (row: Row) => column.value(row) ?? undefined,
    sortUndefined: 'last',
    sortFn: column.numeric ? 'basic' : 'alphanumeric',
    cell: ({ row }: { row: { original: Row } }) =>
      column.cell ? column.cell(row.original) : (column.value(row.original) ?? '—'),
  } as ColumnDef<typeof features, Row, unknown>;
}

function Body<Row extends RowData>({
  table,
  shown,
  label,
  onOpen,
  selected,
  onSelect,
  height,
  // biome-ignore lint/suspicious/noExplicitAny: the table's own type carries every feature
}: TableProps<Row> & { readonly table: any; readonly shown: readonly Column<Row>[] }) {
  const viewport = useRef<HTMLDivElement>(null);
  const [focus, setFocus] = useState(-1);
  const list: { id: string; original: Row; getVisibleCells(): { id: string; column: { id: string } }[] }[] =
    table.getRowModel().rows;
  const isVirtual = list.length > VIRTUAL_FROM;
  const virtual = useVirtualizer({
    count: list.length,
    getScrollElement: () => viewport.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: 12,
    enabled: isVirtual,
  });
  const items = isVirtual ? virtual.getVirtualItems() : list.map((_, index) => ({ index, start: index * ROW_HEIGHT }));
  const toggle = (id: string): void => {
    const next = new Set(selected);
    if (!next.delete(id)) next.add(id);
    onSelect?.(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    const row = list[focus];
    if (step !== undefined) {
      const next = Math.min(list.length - 1, Math.max(0, focus + step));
      setFocus(next);
      if (isVirtual) virtual.scrollToIndex(next);
    } else if (event.key === 'Enter' && row) onOpen?.(row.original);
    else if (event.key === 'x' && row && onSelect) toggle(row.id);
    else return;
    event.preventDefault();
  };
  const numeric = new Set(shown.filter((column) => column.numeric).map(({ id }) => id));
  const before = isVirtual ? (items[0]?.start ?? 0) : 0;
  const after = isVirtual ? virtual.getTotalSize() - ((items.at(-1)?.index ?? -1) + 1) * ROW_HEIGHT : 0;
  return (
    <section
      ref={viewport}
      className={classes['viewport']}
      style={isVirtual || height ? { maxHeight: height ?? '70vh' } : undefined}
      tabIndex={0}
      aria-label={label}
      onKeyDown={onKeyDown}
    >
      <table className={classes['table']} aria-rowcount={list.length}>
        <thead>
          {table.getHeaderGroups().map((group: { id: string; headers: { id: string; column: HeaderColumn }[] }) => (
            <tr key={group.id}>
              {onSelect && <th className={classes['select']} aria-label="selected" />}
              {group.headers.map((header) => (
                <HeaderCell key={header.id} header={header} isNumeric={numeric.has(header.column.id)} />
              ))}
            </tr>
          ))}
        </thead>
        <tbody>
          {before > 0 && <tr style={{ height: before }} aria-hidden="true" />}
          {items.map(({ index }) => {
            const row = list[index]!;
            return (
              <tr
                key={row.id}
                aria-rowindex={index + 1}
                aria-selected={selected?.has(row.id)}
                data-focus={index === focus || undefined}
                className={onOpen ? classes['open'] : undefined}
                onClick={onOpen ? () => onOpen(row.original) : undefined}
              >
                {onSelect && (
                  <td className={classes['select']}>
                    <input
                      type="checkbox"
                      aria-label={`select ${row.id}`}
                      checked={selected?.has(row.id) ?? false}
                      onClick={(event) => event.stopPropagation()}
                      onChange={() => toggle(row.id)}
                    />
                  </td>
                )}
                {row.getVisibleCells().map((cell) => (
                  <td key={cell.id} className={numeric.has(cell.column.id) ? 'num' : undefined}>
                    {/* biome-ignore lint/suspicious/noExplicitAny: as above */}
                    <FlexRender cell={cell as any} />
                  </td>
                ))}
              </tr>
            );
          })}
          {after > 0 && <tr style={{ height: after }} aria-hidden="true" />}
        </tbody>
      </table>
    </section>
  );
}

interface HeaderColumn {
  readonly id: string;
  readonly columnDef: { readonly header?: unknown };
  getIsSorted(): false | 'asc' | 'desc';
  toggleSorting(): void;
}

function HeaderCell({ header, isNumeric }: { readonly header: { column: HeaderColumn }; readonly isNumeric: boolean }) {
  const sorted = header.column.getIsSorted();
  const direction = sorted === 'asc' ? 'ascending' : sorted === 'desc' ? 'descending' : 'none';
  return (
    <th aria-sort={direction} className={isNumeric ? 'num' : undefined} scope="col">
      <button type="button" className={classes['sort']} onClick={() => header.column.toggleSorting()}>
        {String(header.column.columnDef.header ?? '')}
        <span aria-hidden="true">{sorted === 'asc' ? ' ↑' : sorted === 'desc' ? ' ↓' : ''}</span>
      </button>
    </th>
  );
}
