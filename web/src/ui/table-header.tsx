import type { ColumnSort } from '@tanstack/react-table';
import classes from './table.module.css';
import type { Column } from './table.tsx';

interface HeaderProps<Row> {
  readonly columns: readonly Column<Row>[];
  readonly sort: ColumnSort | undefined;
  readonly onSort: (column: string, isNumeric: boolean) => void;
  readonly selection?: { readonly size: number; readonly total: number; readonly all: () => void };
}

export function Header<Row>({ columns, sort, onSort, selection }: HeaderProps<Row>) {
  return (
    <thead>
      <tr aria-rowindex={1}>
        {selection && (
          <th className={classes['select']} scope="col">
            <input
              type="checkbox"
              aria-label={selection.size > 0 ? 'select none' : 'select all'}
              checked={selection.size > 0 && selection.size >= selection.total}
              ref={(box) => {
                if (box) box.indeterminate = selection.size > 0 && selection.size < selection.total;
              }}
              onChange={selection.all}
            />
          </th>
        )}
        {columns.map(({ id, header, title, numeric = false }, index) => {
          const way = sort?.id !== id ? undefined : sort.desc ? 'descending' : 'ascending';
          const name = [numeric && 'num', index === 0 && classes['pinned']].filter(Boolean).join(' ');
          // A column of buttons needs no word; the cell stands for the header's look.
          if (header === '') return <th key={id} scope="col" aria-label={id} className={name || undefined} />;
          return (
            <th key={id} scope="col" aria-sort={way ?? 'none'} className={name || undefined} title={title}>
              <button type="button" className={classes['sort']} onClick={() => onSort(id, numeric)}>
                {header}
                <span aria-hidden="true" className={classes['way']}>
                  {way === 'ascending' ? '↑' : way === 'descending' ? '↓' : ''}
                </span>
              </button>
            </th>
          );
        })}
      </tr>
    </thead>
  );
}
