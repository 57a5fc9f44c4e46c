import { type MouseEvent, memo, type ReactNode } from 'react';
import { exact, MISSING } from './format.ts';
import { GoLink, isPlainClick } from './link.tsx';
import classes from './table.module.css';
import type { Column } from './table.tsx';

interface TableRowProps {
  readonly id: string;
  readonly row: unknown;
  readonly index: number;
  readonly columns: readonly Column<unknown>[];
  readonly isFocused: boolean;
  readonly isChosen: boolean;
  readonly to: ((row: unknown) => string) | undefined;
  readonly onOpen: ((row: unknown) => void) | undefined;
  readonly onToggle: ((index: number, isRange: boolean) => void) | undefined;
}

const CONTROL = 'a, button, input, label, summary, select, [popover]';

/** Rows are many: one is drawn again only when something of its own changed. Where it leads is asked at the click. */
export const TableRow = memo(
  Row,
  (a, b) =>
    a.row === b.row &&
    a.index === b.index &&
    a.columns === b.columns &&
    a.isFocused === b.isFocused &&
    a.isChosen === b.isChosen &&
    a.onToggle === b.onToggle,
);

function Row({ id, row, index, columns, isFocused, isChosen, to, onOpen, onToggle }: TableRowProps) {
  const open = (event: MouseEvent): void => {
    if ((event.target as HTMLElement).closest(CONTROL) || String(getSelection()) !== '') return;
    if (to && !isPlainClick(event)) window.open(`.${to(row)}`, '_blank', 'noopener');
    else onOpen?.(row);
  };
  return (
    <tr
      data-row={index}
      tabIndex={-1}
      aria-rowindex={index + 2}
      aria-selected={onToggle && isChosen}
      aria-current={!onToggle && isChosen ? 'true' : undefined}
      data-focus={isFocused || undefined}
      className={onOpen ? classes['open'] : undefined}
      onClick={onOpen && open}
    >
      {onToggle && (
        <td className={classes['select']}>
          <input
            type="checkbox"
            aria-label={`select ${id}`}
            checked={isChosen}
            onChange={(event) =>
              onToggle(index, (event.nativeEvent as unknown as { shiftKey?: boolean }).shiftKey === true)
            }
          />
        </td>
      )}
      {columns.map((column, i) => (
        <Cell key={column.id} column={column} row={row} to={i === 0 ? to : undefined} isFirst={i === 0} />
      ))}
    </tr>
  );
}

interface CellProps {
  readonly column: Column<unknown>;
  readonly row: unknown;
  readonly to: ((row: unknown) => string) | undefined;
  readonly isFirst: boolean;
}

function Cell({ column, row, to, isFirst }: CellProps) {
  const value = column.value(row);
  const content: ReactNode = column.cell ? column.cell(row) : (value ?? MISSING);
  const name = [column.numeric && 'num', isFirst && classes['pinned']].filter(Boolean).join(' ');
  return (
    <td className={name || undefined} title={typeof value === 'number' ? exact(value) : (value ?? undefined)}>
      {to ? (
        <GoLink to={to(row)} className={classes['link']}>
          {content}
        </GoLink>
      ) : (
        content
      )}
    </td>
  );
}
