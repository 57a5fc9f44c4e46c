import { type KeyboardEvent, useEffect, useRef, useState } from 'react';
import classes from './heat-map.module.css';

export interface HeatCell {
  /** 0 to 1: effect size, never p. */
  readonly strength: number;
  readonly isMarked: boolean;
  readonly text: string;
}

/** What happened, in a row of its own above the map; `at` counts columns. */
export interface HeatLane {
  readonly label: string;
  readonly marks: readonly { readonly at: number; readonly text: string; readonly colour?: string }[];
}

interface HeatMapProps {
  readonly label: string;
  readonly columns: readonly { readonly id: string; readonly label: string; readonly tick?: string }[];
  readonly rows: readonly string[];
  /** By row, then column; null where there is nothing. */
  readonly cells: readonly (readonly (HeatCell | null)[])[];
  readonly lanes?: readonly HeatLane[];
  /** What the colours mean, from pale to full. */
  readonly legend: readonly { readonly strength: number; readonly text: string }[];
  readonly marked: string;
  readonly selected?: { readonly row: string | undefined; readonly columns: ReadonlySet<string> };
  readonly onSelect?: (row: string, column: string) => void;
}

type At = readonly [row: number, column: number];
const STEPS: Readonly<Record<string, At>> = {
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  PageUp: [0, -7],
  PageDown: [0, 7],
};

/**
 * Rows by windows on a sequential scale; significant cells are outlined. One cell has the focus; arrows move it, Home and End go to the
 * ends of its row, Enter selects. What it says stands below the map, in a line that is always there.
 */
export function HeatMap(props: HeatMapProps) {
  const { label, columns, rows, cells, lanes = [], selected, onSelect } = props;
  const [at, setAt] = useState<At>([0, Math.max(0, columns.length - 1)]);
  const [shown, setShown] = useState<At | null>(null);
  const table = useRef<HTMLTableElement>(null);
  const viewport = useRef<HTMLDivElement>(null);
  useEffect(() => {
    // The newest window is what is asked about first.
    if (viewport.current && columns.length > 0) viewport.current.scrollLeft = viewport.current.scrollWidth;
  }, [columns.length]);
  const focus = ([r, c]: At): void => {
    const next: At = [clamp(r, rows.length), clamp(c, columns.length)];
    setAt(next);
    setShown(next);
    table.current?.querySelector<HTMLElement>(`[data-at="${next[0]},${next[1]}"]`)?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const step = STEPS[event.key];
    if (step) focus([at[0] + step[0], at[1] + step[1]]);
    else if (event.key === 'Home') focus([at[0], 0]);
    else if (event.key === 'End') focus([at[0], columns.length - 1]);
    else if (event.key === 'Enter' || event.key === ' ') onSelect?.(rows[at[0]]!, columns[at[1]]!.id);
    else return;
    event.preventDefault();
  };
  /** One listener for all cells: there are thousands. */
  const cellOf = (target: EventTarget): At | undefined => {
    const found = (target as Element).closest<HTMLElement>('[data-at]')?.dataset['at']?.split(',').map(Number);
    return found && [found[0]!, found[1]!];
  };
  const [r, c] = [clamp(at[0], rows.length), clamp(at[1], columns.length)];
  const told = shown && cells[shown[0]]?.[shown[1]];
  return (
    <div className={classes['frame']}>
      <div className={classes['viewport']} ref={viewport}>
        <table
          className={classes['map']}
          ref={table}
          // biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: a grid of cells that arrows go through is what this role is for
          role="grid"
          aria-label={label}
          onKeyDown={onKeyDown}
          onMouseOver={({ target }) => setShown(cellOf(target) ?? shown)}
          onFocus={({ target }) => {
            const cell = cellOf(target);
            if (!cell) return;
            setAt(cell);
            setShown(cell);
          }}
          onClick={({ target }) => {
            const cell = cellOf(target);
            if (!cell) return;
            setAt(cell);
            onSelect?.(rows[cell[0]]!, columns[cell[1]]!.id);
          }}
        >
          <thead>
            <tr>
              <th scope="col" className={classes['corner']}>
                <span className={classes['hidden']}>row</span>
              </th>
              {columns.map((column) => (
                <th key={column.id} scope="col" className={classes['tick']}>
                  {column.tick && (
                    <span className={classes['day']} aria-hidden="true">
                      {column.tick}
                    </span>
                  )}
                  <span className={classes['hidden']}>{column.label}</span>
                </th>
              ))}
            </tr>
            {lanes.map((lane) => (
              <Lane key={lane.label} lane={lane} columns={columns.length} />
            ))}
          </thead>
          <tbody>
            {rows.map((row, i) => (
              <tr key={row} data-selected={selected?.row === row || undefined}>
                <th scope="row" title={row}>
                  <span className={classes['name']}>{row}</span>
                </th>
                {columns.map((column, k) => {
                  const cell = cells[i]?.[k] ?? null;
                  return (
                    <td
                      key={column.id}
                      data-at={`${i},${k}`}
                      data-none={cell === null || undefined}
                      data-marked={cell?.isMarked || undefined}
                      data-window={selected?.columns.has(column.id) || undefined}
                      aria-selected={selected?.row === row && selected.columns.has(column.id)}
                      aria-label={`${row}, ${column.label}: ${cell?.text ?? 'not judged'}`}
                      tabIndex={i === r && k === c ? 0 : -1}
                      style={{ '--strength': `${Math.round((cell?.strength ?? 0) * 100)}%` } as React.CSSProperties}
                    />
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div className={classes['foot']}>
        <output className={classes['told']}>
          {shown && rows[shown[0]] !== undefined && columns[shown[1]] ? (
            <>
              <strong>{rows[shown[0]]}</strong> {columns[shown[1]]!.label}: {told?.text ?? 'not judged'}
            </>
          ) : (
            <span className="muted">Point at a cell, or go through them with the arrow keys.</span>
          )}
        </output>
        <Scale legend={props.legend} marked={props.marked} />
      </div>
    </div>
  );
}

const clamp = (value: number, count: number): number => Math.min(Math.max(0, value), Math.max(0, count - 1));

function Lane({ lane, columns }: { readonly lane: HeatLane; readonly columns: number }) {
  const byColumn = Map.groupBy(lane.marks, ({ at }) => at);
  return (
    <tr className={classes['lane']}>
      <th scope="row">{lane.label}</th>
      {Array.from({ length: columns }, (_, k) => {
        const marks = byColumn.get(k);
        const text = marks?.map((mark) => mark.text).join('\n');
        return (
          <td key={k} title={text}>
            {marks && (
              <span style={{ color: marks[0]!.colour ? `var(${marks[0]!.colour})` : undefined }}>
                <span aria-hidden="true">▼</span>
                <span className={classes['hidden']}>{text}</span>
              </span>
            )}
          </td>
        );
      })}
    </tr>
  );
}

function Scale({ legend, marked }: Pick<HeatMapProps, 'legend' | 'marked'>) {
  return (
    <span className={classes['legend']}>
      {legend.map(({ strength, text }) => (
        <span key={text}>
          <i style={{ '--strength': `${Math.round(strength * 100)}%` } as React.CSSProperties} />
          {text}
        </span>
      ))}
      <span>
        <i data-marked style={{ '--strength': '0%' } as React.CSSProperties} />
        {marked}
      </span>
    </span>
  );
}
