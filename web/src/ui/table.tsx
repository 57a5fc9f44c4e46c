import {
  type ColumnDef,
  createSortedRowModel,
  type RowData,
  rowSortingFeature,
  type SortingState,
  sortFns,
  tableFeatures,
  useTable,
} from '@tanstack/react-table';
import { type ReactNode, useCallback, useMemo, useRef, useState } from 'react';
import { csvOf, download } from './csv.ts';
import { useGo } from './link.tsx';
import classes from './table.module.css';
import { Header } from './table-header.tsx';
import { useRowKeys } from './table-keys.ts';
import { TableRow } from './table-row.tsx';
import { useWindow } from './table-window.ts';
import type { Sort } from './view-state.ts';

const features = tableFeatures({ rowSortingFeature, sortedRowModel: createSortedRowModel(), sortFns });

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  /** What the header means, on hover. */
  readonly title?: string;
  /** What sorts and is exported. */
  readonly value: (row: Row) => string | number | null | undefined;
  /** What stands in the cell; the value where absent. */
  readonly cell?: (row: Row) => ReactNode;
  /** Numbers stand at the right, in tabular figures. */
  readonly numeric?: boolean;
  /** Pixels; needed only where a long table's estimate is wrong. */
  readonly width?: number;
}

interface TableProps<Row> {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly rowId: (row: Row) => string;
  readonly hidden?: readonly string[];
  readonly sort?: Sort | undefined;
  readonly onSort?: (sort: Sort | undefined) => void;
  /** Where a row leads, as an address of the UI: its first cell is then a real link. */
  readonly to?: (row: Row) => string;
  readonly onOpen?: (row: Row) => void;
  /** Rows that are chosen; without `onSelect` the ones that the page shows beside the table. */
  readonly selected?: ReadonlySet<string>;
  readonly onSelect?: (ids: ReadonlySet<string>) => void;
  /** What can be done with the selected rows, at the table's foot. */
  readonly selectionBar?: (ids: ReadonlySet<string>) => ReactNode;
  /** Height of the scrolled part; rows beyond 200 are virtual. */
  readonly height?: number;
  /** One sentence where there is no row. */
  readonly empty?: ReactNode;
}

/** The one table: sticky header, pinned first column, sorting, keyboard rows (j/k or arrows, Enter opens, x selects), virtual where long. */
export function Table<Row extends RowData>(props: TableProps<Row>) {
  const { label, rowId, selected, onSelect, height, empty } = props;
  const viewport = useRef<HTMLDivElement>(null);
  const go = useGo();
  const { to, onOpen = to && ((row: Row) => go(to(row))) } = props;
  const { list, sorting, sortBy } = useSorted(props);
  const shown = useMemo(
    () => props.columns.filter(({ id }, index) => index === 0 || !props.hidden?.includes(id)),
    [props.columns, props.hidden],
  );
  const [focus, setFocus] = useState<string | null>(null);
  const indexOf = useMemo(() => new Map(list.map((row, index) => [rowId(row), index])), [list, rowId]);
  const focusIndex = focus === null ? -1 : (indexOf.get(focus) ?? -1);
  const { parts, isVirtual, scrollTo } = useWindow(list.length, viewport, focusIndex);
  const select = useSelect({ list, rowId, selected, onSelect });
  const onKeyDown = useRowKeys({
    viewport,
    count: list.length,
    focusIndex,
    focusOn(index) {
      scrollTo(index);
      setFocus(rowId(list[index]!));
    },
    open: (index) => onOpen?.(list[index]!),
    toggle: onSelect && ((index) => select.toggle(index, false)),
    clear: onSelect && selected?.size ? () => onSelect(new Set()) : undefined,
  });
  return (
    <div className={classes['frame']}>
      <section
        ref={viewport}
        className={classes['viewport']}
        style={isVirtual || height ? { maxHeight: height ?? '70vh' } : undefined}
        tabIndex={0}
        aria-label={label}
        onKeyDown={onKeyDown}
        data-table
        data-scroll-restoration-id={`table ${label}`}
      >
        <table
          className={classes['table']}
          data-fixed={isVirtual || undefined}
          aria-rowcount={list.length + 1}
          {...(onSelect && { 'aria-multiselectable': true, role: 'grid' })}
        >
          {isVirtual && <Widths columns={shown} rows={list} hasSelect={onSelect !== undefined} />}
          <Header
            columns={shown}
            sort={sorting}
            onSort={sortBy}
            {...(onSelect && { selection: { ...select, size: selected?.size ?? 0, total: list.length } })}
          />
          <tbody>
            {parts.map((part) => {
              if ('gap' in part) return <tr key={part.key} style={{ height: part.gap }} aria-hidden="true" />;
              const row = list[part.index]!;
              const id = rowId(row);
              return (
                <TableRow
                  key={id}
                  id={id}
                  row={row}
                  index={part.index}
                  columns={shown as never}
                  isFocused={part.index === focusIndex}
                  isChosen={selected?.has(id) ?? false}
                  to={to as never}
                  onOpen={onOpen as never}
                  onToggle={onSelect && select.toggle}
                />
              );
            })}
          </tbody>
        </table>
        {list.length === 0 && <p className={classes['empty']}>{empty ?? 'No rows.'}</p>}
      </section>
      {selected && selected.size > 0 && onSelect && props.selectionBar && (
        <div className={classes['bar']} role="toolbar" aria-label="What can be done with the selected rows">
          <strong>{selected.size} selected</strong>
          {props.selectionBar(selected)}
          <button type="button" className={classes['clear']} onClick={() => onSelect(new Set())}>
            Clear
          </button>
        </div>
      )}
    </div>
  );
}

/** Writes rows as they are shown, with all digits. */
export function exportCsv<Row>(name: string, rows: readonly Row[], columns: readonly Column<Row>[]): void {
  const lines = rows.map((row) => columns.map((column) => column.value(row)));
  download(
    name,
    csvOf(
      columns.map(({ header }) => header),
      lines,
    ),
  );
}

function useSorted<Row extends RowData>({ rows, columns, sort, onSort }: TableProps<Row>) {
  const [own, setOwn] = useState<SortingState>([]);
  const sorting = useMemo(
    () =>
      (sort ? [{ id: sort.column, desc: sort.descending }] : onSort ? [] : own).filter(({ id }) => has(columns, id)),
    [sort, onSort, own, columns],
  );
  const definitions = useMemo(() => columns.map(toDefinition), [columns]);
  const table = useTable({
    features,
    data: rows as Row[],
    columns: definitions,
    state: { sorting },
    onSortingChange: () => undefined,
  });
  const model = table.getRowModel().rows as readonly { readonly original: Row }[];
  const list = useMemo(() => model.map(({ original }) => original), [model]);
  /** Numbers begin with the greatest; the third click gives the page's own order back. */
  const sortBy = (column: string, isNumeric: boolean): void => {
    const now = sorting[0]?.id === column ? sorting[0].desc : undefined;
    const next = now === undefined ? { column, descending: isNumeric } : { column, descending: !now };
    const isBack = now !== undefined && now !== isNumeric;
    if (onSort) onSort(isBack ? undefined : next);
    else setOwn(isBack ? [] : [{ id: next.column, desc: next.descending }]);
  };
  return { list, sorting: sorting[0], sortBy };
}

const has = (columns: readonly { readonly id: string }[], id: string): boolean =>
  columns.some((each) => each.id === id);

/** Versions sort as v2 before v10; what is missing or NaN stands last, whichever way. */
const collator = new Intl.Collator('en', { numeric: true });
type Sortable = { getValue(id: string): unknown };

function compare(a: Sortable, b: Sortable, id: string): number {
  const [x, y] = [a.getValue(id), b.getValue(id)];
  if (typeof x === 'number' && typeof y === 'number') return x - y;
  return x === y ? 0 : collator.compare(String(x), String(y));
}

function toDefinition<Row extends RowData>({ id, value }: Column<Row>): ColumnDef<typeof features, Row, unknown> {
  const accessorFn = (row: Row): string | number | undefined => {
    const given = value(row);
    return given === null || Number.isNaN(given) ? undefined : given;
  };
  return { id, accessorFn, sortUndefined: 'last', sortFn: compare } as ColumnDef<typeof features, Row, unknown>;
}

interface Selecting<Row> {
  readonly list: readonly Row[];
  readonly rowId: (row: Row) => string;
  readonly selected: ReadonlySet<string> | undefined;
  readonly onSelect: ((ids: ReadonlySet<string>) => void) | undefined;
}

/** The same functions at every drawing, so that rows need not be drawn again. */
function useSelect<Row>(given: Selecting<Row>) {
  const latest = useRef(given);
  latest.current = given;
  const last = useRef(-1);
  const toggle = useCallback((index: number, isRange: boolean): void => {
    const from = isRange && last.current >= 0 ? last.current : index;
    last.current = index;
    latest.current.onSelect?.(withRange(latest.current, from, index));
  }, []);
  const all = useCallback((): void => {
    const { list, rowId, selected, onSelect } = latest.current;
    onSelect?.(selected?.size ? new Set() : new Set(list.map(rowId)));
  }, []);
  return { toggle, all };
}

/** What is selected when the row at `to` changes, and with it all rows from the one that was changed before. */
function withRange<Row>({ list, rowId, selected }: Selecting<Row>, from: number, to: number): ReadonlySet<string> {
  const next = new Set(selected);
  const isOn = !next.has(rowId(list[to]!));
  for (const row of list.slice(Math.min(from, to), Math.max(from, to) + 1)) {
    if (isOn) next.add(rowId(row));
    else next.delete(rowId(row));
  }
  return next;
}

const SAMPLE = 100;
const PIXELS_A_CHARACTER = 7.4;
const [NARROWEST, WIDEST] = [64, 360];

/** Widths of a long table are fixed by a sample, so that nothing moves while it scrolls. */
function Widths<Row>({
  columns,
  rows,
  hasSelect,
}: {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly hasSelect: boolean;
}) {
  const widths = useMemo(() => columns.map((column) => column.width ?? estimate(column, rows)), [columns, rows]);
  return (
    <colgroup>
      {hasSelect && <col style={{ width: 36 }} />}
      {widths.map((width, index) => (
        <col key={columns[index]!.id} style={{ width }} />
      ))}
    </colgroup>
  );
}

function estimate<Row>({ header, value, numeric }: Column<Row>, rows: readonly Row[]): number {
  const step = Math.max(1, Math.floor(rows.length / SAMPLE));
  let longest = header.length + 2;
  for (let i = 0; i < rows.length; i += step) {
    const length = String(value(rows[i]!) ?? '').length;
    longest = Math.max(longest, numeric ? Math.min(8, length) : length);
  }
  return Math.min(WIDEST, Math.max(NARROWEST, Math.round(longest * PIXELS_A_CHARACTER) + 24));
}
